import Glibc
import SystemPackage
import Testing
import Tun

@Suite struct StateFileTests {
  @Test func contentIsReplacedWholeAndForItsOwnerAlone() throws {
    let directory = try TemporaryDirectory()
    let file = StateFile(directory.path.appending("state"))
    #expect(throws: Errno.noSuchFileOrDirectory) { try file.read() }
    for content in [[], [1, 2, 3], [UInt8](repeating: 7, count: 200_000)] {
      try file.write(content)
      #expect(try file.read() == content)
    }
    #expect(throws: Errno.fileTooLarge) { try file.read(limit: 199_999) }
    #expect(try !file.isOpenToOthers())
    chmod(file.path.string, 0o640)
    #expect(try file.isOpenToOthers())
    try file.write([1])
    #expect(try !file.isOpenToOthers())
    try file.remove()
    try file.remove()
    #expect(rmdir(directory.path.string) == 0, "nothing is left behind")
    #expect(throws: Errno.noSuchFileOrDirectory) { try file.write([1]) }
  }

  @Test func aFailedWriteLeavesTheOldContent() throws {
    let directory = try TemporaryDirectory()
    let file = StateFile(directory.path.appending("state"))
    try file.write([1])
    // The name of the temporary file is taken by a directory, so the write cannot even start.
    let temporary = "\(directory.path)/.state-\(getpid()).tmp"
    #expect(mkdir(temporary, 0o700) == 0)
    #expect(throws: Errno.isDirectory) { try file.write([2]) }
    rmdir(temporary)
    #expect(try file.read() == [1])
  }

  @Test func missingDirectoriesAreMade() throws {
    let directory = try TemporaryDirectory()
    let deep = directory.path.appending("a/b/c")
    try StateFile.makeDirectory(deep)
    try StateFile.makeDirectory(deep)
    try StateFile(deep.appending("f")).write([1])
    unlink("\(deep)/f")
    for path in ["a/b/c", "a/b", "a"] { rmdir("\(directory.path)/\(path)") }
  }
}
