import Glibc
import SystemPackage
import Testing
import Tun

/// A directory that goes with the test.
final class TemporaryDirectory {
  let path: FilePath

  init() throws {
    var template = Array("/tmp/meshd-tuntests-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    path = FilePath(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
  }

  deinit {
    if let stream = opendir(path.string) {
      while let entry = readdir(stream) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        unlink("\(path)/\(name)")
      }
      closedir(stream)
    }
    rmdir(path.string)
  }
}

@Suite struct UnixSocketTests {
  private func mode(_ path: FilePath) -> mode_t {
    var status = stat()
    return stat(path.string, &status) == 0 ? status.st_mode & 0o777 : 0
  }

  @Test func aRequestIsReadAndAnswered() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path.appending("a.sock")
    let listener = try StreamListener(at: path)
    #expect(mode(path) == 0o600)
    #expect(try listener.accept() == nil)
    let client = try StreamConnection(to: path)
    guard let server = try listener.accept() else {
      Issue.record("no connection")
      return
    }
    #expect(try server.read() == nil)
    #expect(try client.write(Array("get=1\n\n".utf8)[...]) == 7)
    #expect(try server.read().map { String(decoding: $0, as: UTF8.self) } == "get=1\n\n")
    #expect(try server.write(Array("errno=0\n\n".utf8)[...]) == 9)
    server.finishWriting()
    #expect(try client.read()?.count == 9)
    #expect(try client.read() == [])
    listener.remove()
    #expect(mode(path) == 0)
  }

  @Test func aSlowReaderDoesNotBlockTheWriter() throws {
    let directory = try TemporaryDirectory()
    let listener = try StreamListener(at: directory.path.appending("a.sock"))
    let client = try StreamConnection(to: directory.path.appending("a.sock"))
    guard let server = try listener.accept() else {
      Issue.record("no connection")
      return
    }
    let much = [UInt8](repeating: 1, count: 1 << 22)
    let written = try server.write(much[...])
    #expect(written > 0 && written < much.count)
    #expect(try server.write(much[written...]) == 0)
    #expect(try client.read()?.isEmpty == false)
  }

  @Test func aStaleSocketIsTakenOverAndALiveOneIsNot() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path.appending("a.sock")
    do {
      // Closes without removing its file, as a process that is killed.
      let dead = try StreamListener(at: path)
      #expect(dead.path == path)
    }
    #expect(mode(path) == 0o600)
    let alive = try StreamListener(at: path)
    #expect(throws: StreamListenerError.inUse(path)) { _ = try StreamListener(at: path) }
    #expect(try StreamConnection(to: path).read(limit: 0) != nil)
    #expect(alive.path == path)
    let long = directory.path.appending(String(repeating: "x", count: 100))
    #expect(throws: StreamListenerError.pathTooLong(long)) { _ = try StreamListener(at: long) }
    #expect(throws: StreamListenerError.self) { _ = try StreamListener(at: "/nowhere/at/all.sock") }
  }

  @Test func anInheritedSocketIsServed() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path.appending("a.sock")
    let first = try StreamListener(at: path)
    let second = try StreamListener(adopting: OwnedDescriptor(dup(first.descriptor.rawValue)))
    let client = try StreamConnection(to: path)
    let isAccepted = try second.accept() != nil
    #expect(isAccepted && client.descriptor.rawValue >= 0)
  }

  private func expectRemoved(_ watcher: inout FileWatcher, _ expected: Bool) throws {
    let isRemoved = try watcher.isRemoved()
    #expect(isRemoved == expected)
  }

  @Test func theRemovalOfTheFileIsNoticedAndOtherFilesAreNot() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path.appending("a.sock")
    let other = StateFile(directory.path.appending("other"))
    let listener = try StreamListener(at: path)
    var watcher = try FileWatcher(path)
    var poller = try Poller<UInt64.Token>()
    try poller.add(watcher.descriptor, as: .init(rawValue: 1))
    try expectRemoved(&watcher, false)
    try other.write([1])
    try other.remove()
    try expectRemoved(&watcher, false)
    try poller.wait(atMost: .zero)
    #expect(poller.events.isEmpty)
    listener.remove()
    try poller.wait(atMost: nil)
    #expect(poller.events.count == 1)
    try expectRemoved(&watcher, true)
    let next = try StreamListener(at: path)
    #expect(next.path == path)
    try expectRemoved(&watcher, true)
    #expect(throws: Errno.noSuchFileOrDirectory) { _ = try FileWatcher("/nowhere/at/all") }
  }
}

extension UInt64 {
  /// A token of no meaning.
  struct Token: RawRepresentable {
    let rawValue: UInt64
  }
}
