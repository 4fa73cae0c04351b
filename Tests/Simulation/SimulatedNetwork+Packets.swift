import Mesh
public import Net

// What tests send through a network, and what becomes of it.
extension SimulatedNetwork {
  /// A packet between two hosts' own addresses, told from others by its number.
  public func packet(from start: Int, to end: Int, _ family: AddressFamily = .v4, number: Int = 0) -> [UInt8]
  {
    let index = family == .v4 ? 0 : 1
    return TestPacket.make(
      from: "\(hosts[start].addresses[index])", to: "\(hosts[end].addresses[index])",
      payload: [
        UInt8(start), UInt8(end), UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number),
      ]
        + (0..<(number % 60)).map { UInt8($0) })
  }

  /// Packets dropped by all hosts for their source.
  public var sourceRefusals: UInt64 {
    let reasons: [DropReason] = [.disallowedSource, .unknownSource, .unacceptedSource, .martianSource]
    return hosts.reduce(0) { sum, host in reasons.reduce(sum) { $0 + (host.daemon?.drops[$1] ?? 0) } }
  }
}
