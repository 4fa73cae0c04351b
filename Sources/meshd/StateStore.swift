import Mesh
import SystemPackage
import Tun

/// Where a node keeps what must survive it.
struct StateStore {
  private let file: StateFile
  private let directory: FilePath

  /// Names the file of the node with this interface.
  init(directory: FilePath, interface: String) {
    self.directory = directory
    file = StateFile(directory.appending("\(interface).state"))
  }

  /// What an earlier life left; `nil` if it left nothing readable.
  func load() -> PersistentState? {
    guard let octets = try? file.read(limit: 4096) else { return nil }
    return PersistentState(text: String(decoding: octets, as: UTF8.self))
  }

  /// Replaces what is kept; if it `isDurable`, after waiting for the disk.
  func save(_ state: PersistentState, isDurable: Bool) throws(Errno) {
    let octets = Array(state.text.utf8)
    do {
      try file.write(octets, isDurable: isDurable)
    } catch {
      guard error == .noSuchFileOrDirectory else { throw error }
      try StateFile.makeDirectory(directory, mode: 0o700)
      try file.write(octets, isDurable: isDurable)
    }
  }
}
