import LinkEmulation
import Net

extension Instant {
  /// So many milliseconds after boot.
  static func ms(_ milliseconds: Double) -> Instant {
    Instant(nanoseconds: Int64(milliseconds * 1e6))
  }
}

/// Frames for tests, and what is in them.
enum TestFrame {
  static let insideHardware: [UInt8] = [2, 0, 0, 0, 0, 1]
  static let outsideHardware: [UInt8] = [2, 0, 0, 0, 0, 2]

  /// A frame of `length` octets in all that carries no IP.
  static func opaque(_ number: UInt8, length: Int = 100) -> EthernetFrame {
    frame([UInt8](repeating: number, count: length - EthernetFrame.headerLength), type: 0x88B5)
  }

  /// A frame from a to b, or back.
  static func frame(_ packet: [UInt8], type: UInt16 = 0x0800, inbound: Bool = false) -> EthernetFrame {
    let addresses =
      inbound ? insideHardware + outsideHardware : outsideHardware + insideHardware
    let octets = addresses + [UInt8(type >> 8), UInt8(truncatingIfNeeded: type)] + packet
    guard let frame = EthernetFrame(octets) else { preconditionFailure("shorter than a header") }
    return frame
  }

  /// A UDP datagram over IPv4 with correct checksums.
  static func udp(
    from source: Endpoint, to destination: Endpoint, payload: [UInt8] = [1, 2, 3], mayFragment: Bool = false
  ) -> [UInt8] {
    var writer = ByteWriter()
    writer.append(big16: source.port)
    writer.append(big16: destination.port)
    writer.append(big16: UInt16(8 + payload.count))
    writer.append(big16: 0)
    writer.append(contentsOf: payload)
    var sum = Checksum()
    sum.add(writer.bytes.span.bytes)
    sum.addPseudoHeader(
      source: source.address, destination: destination.address, protocolNumber: 17, length: writer.count)
    writer.set(big16: sum.value, at: 6)
    return ipv4(
      from: source.address, to: destination.address, protocolNumber: 17, payload: writer.bytes,
      mayFragment: mayFragment)
  }

  /// An ICMP message with a correct checksum; `rest` are the last four octets of its header.
  static func icmp(
    type: UInt8, rest: UInt32, payload: [UInt8] = [], from source: IPAddress, to destination: IPAddress
  ) -> [UInt8] {
    var writer = ByteWriter()
    writer.append(big16: UInt16(type) << 8 | (type == 3 ? 3 : 0))
    writer.append(big16: 0)
    writer.append(big32: rest)
    writer.append(contentsOf: payload)
    writer.set(big16: checksum(writer.bytes), at: 2)
    return ipv4(from: source, to: destination, protocolNumber: 1, payload: writer.bytes)
  }

  static func ipv4(
    from source: IPAddress, to destination: IPAddress, protocolNumber: UInt8, payload: [UInt8],
    mayFragment: Bool = false
  ) -> [UInt8] {
    var writer = ByteWriter()
    writer.append(big16: 0x4500)
    writer.append(big16: UInt16(20 + payload.count))
    writer.append(big16: 7)
    writer.append(big16: mayFragment ? 0 : 0x4000)
    writer.append(byte: 64)
    writer.append(byte: protocolNumber)
    writer.append(big16: 0)
    writer.append(source)
    writer.append(destination)
    writer.set(big16: checksum(writer.bytes), at: 10)
    writer.append(contentsOf: payload)
    return writer.bytes
  }

  static func checksum(_ octets: some Collection<UInt8>) -> UInt16 {
    var sum = Checksum()
    sum.add(Array(octets).span.bytes)
    return sum.value
  }
}

extension EthernetFrame {
  /// The payload.
  var payload: [UInt8] { Array(octets.dropFirst(Self.headerLength)) }
  /// The IP header of the payload.
  var header: IPHeader? { IPHeader(reading: payload.span.bytes) }
}

extension EmulatedLink {
  /// All that comes out of an end at a time.
  mutating func arrivals(at end: LinkEnd, _ now: Instant) -> [EthernetFrame] {
    var frames: [EthernetFrame] = []
    while let frame = next(for: end, now: now) { frames.append(frame) }
    return frames
  }

  /// What comes out of the other end when a perfect wire takes a frame now.
  mutating func crossing(_ frame: EthernetFrame, from end: LinkEnd = .a, at now: Instant = .ms(0))
    -> [EthernetFrame]
  {
    receive(frame, at: end, now: now)
    return arrivals(at: end.other, now)
  }
}
