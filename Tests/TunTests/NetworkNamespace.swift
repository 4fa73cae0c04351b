import CLinux
import Glibc
import Net
import SystemPackage
import Testing
import Tun

/// Whether tests may make interfaces: they need root and /dev/net/tun.
let canMakeInterfaces = Privileges.hasNetworkAdministration && access("/dev/net/tun", R_OK | W_OK) == 0

extension Trait where Self == ConditionTrait {
  /// Skips a test that needs its own network namespace where it cannot have one.
  static var needsRoot: Self {
    .enabled(if: canMakeInterfaces, "needs root and /dev/net/tun")
  }
}

/// Runs `body` on a thread with a network namespace of its own, which goes with the thread and what it
/// opened.
///
/// Nothing in it touches the host, and tests run side by side.
func inNetworkNamespace<Value>(_ body: @escaping () throws -> Value) throws -> Value {
  nonisolated(unsafe) var outcome: Result<Value, any Error>?
  nonisolated(unsafe) let body = body
  let thread = try Thread(named: "netns") {
    outcome = Result {
      guard clinux_unshare_network() == 0 else { throw Errno(rawValue: errno) }
      var netlink = try Netlink()
      try netlink.apply(.setUp(1, true))
      return try body()
    }
  }
  thread.join()
  return try #require(outcome).get()
}

extension PacketBatch {
  /// The octets of a packet.
  func octets(_ index: Int) -> [UInt8] {
    let span = bytes(index)
    return (0..<span.byteCount).map { span.byte($0) }
  }

  /// Adds a packet.
  @discardableResult
  mutating func add(_ octets: [UInt8], to path: Path? = nil, _ disposition: Disposition) -> Int? {
    guard let index = append(copying: octets.span.bytes) else { return nil }
    if let path { self[index].path = append(path) }
    self[index].disposition = disposition
    return index
  }
}
