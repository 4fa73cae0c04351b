import Net

/// IP packets for tests.
public enum TestPacket {
  /// A packet of `length` octets in all, whose payload counts up from `protocolNumber`'s first octet.
  public static func make(
    from source: String, to destination: String, length: Int = 100, hopLimit: UInt8 = 64, ecn: UInt8 = 0,
    protocolNumber: UInt8 = 253, dontFragment: Bool = true, payload: [UInt8]? = nil
  ) -> [UInt8] {
    guard let source = IPAddress(source), let destination = IPAddress(destination) else { return [] }
    let headerLength = source.family == .v4 ? 20 : 40
    let body = payload ?? (0..<max(length - headerLength, 0)).map { UInt8(truncatingIfNeeded: 200 + $0) }
    let total = headerLength + body.count
    var writer = ByteWriter()
    switch source.family {
    case .v4:
      writer.append(big16: 0x4500 | UInt16(ecn))
      writer.append(big16: UInt16(total))
      writer.append(big16: 7)
      writer.append(big16: dontFragment ? 0x4000 : 0)
      writer.append(byte: hopLimit)
      writer.append(byte: protocolNumber)
      writer.append(big16: 0)
      writer.append(source)
      writer.append(destination)
      writer.set(big16: checksum(writer.bytes), at: 10)
    case .v6:
      writer.append(big32: 0x6000_0000 | UInt32(ecn) << 20)
      writer.append(big16: UInt16(body.count))
      writer.append(byte: protocolNumber)
      writer.append(byte: hopLimit)
      writer.append(source)
      writer.append(destination)
    }
    writer.append(contentsOf: body)
    return writer.bytes
  }

  /// A UDP packet over IPv6 with a correct checksum.
  public static func udp6(
    from source: String, to destination: String, ports: (UInt16, UInt16) = (6696, 6696),
    payload: [UInt8] = [42, 2, 0, 0]
  ) -> [UInt8] {
    guard let from = IPAddress(source), let to = IPAddress(destination) else { return [] }
    var writer = ByteWriter()
    writer.append(big16: ports.0)
    writer.append(big16: ports.1)
    writer.append(big16: UInt16(8 + payload.count))
    writer.append(big16: 0)
    writer.append(contentsOf: payload)
    var sum = Checksum()
    sum.add(writer.bytes.span.bytes)
    sum.addPseudoHeader(source: from, destination: to, protocolNumber: 17, length: writer.count)
    writer.set(big16: sum.value, at: 6)
    return make(from: source, to: destination, hopLimit: 1, protocolNumber: 17, payload: writer.bytes)
  }

  /// The checksum of the Internet protocols over some octets.
  public static func checksum(_ bytes: [UInt8]) -> UInt16 {
    var sum = Checksum()
    sum.add(bytes.span.bytes)
    return sum.value
  }
}
