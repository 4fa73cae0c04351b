import Net

/// An Ethernet frame without preamble and check sequence, as an interface hands it out.
public struct EthernetFrame: Sendable, Equatable {
  /// What the payload is.
  enum EtherType {
    static let ipv4: UInt16 = 0x0800
    static let arp: UInt16 = 0x0806
    static let ipv6: UInt16 = 0x86DD
  }

  /// Octets before the payload.
  public static let headerLength = 14

  /// Header and payload.
  public private(set) var octets: [UInt8]

  /// Takes what an interface handed out; `nil` if it is shorter than the header.
  public init?(_ octets: [UInt8]) {
    guard octets.count >= Self.headerLength else { return nil }
    self.octets = octets
  }

  /// Makes a frame with the addresses and type of another.
  init(likeThatOf frame: EthernetFrame, carrying packet: some Sequence<UInt8>) {
    octets = Array(frame.octets.prefix(Self.headerLength)) + packet
  }

  /// Makes a frame that goes back to the sender of another.
  init(answering frame: EthernetFrame, carrying packet: some Sequence<UInt8>) {
    octets = Array(frame.source + frame.destination + frame.octets[12..<Self.headerLength]) + packet
  }

  /// The hardware address of the receiver, six octets.
  var destination: ArraySlice<UInt8> {
    get { octets[..<6] }
    set { octets.replaceSubrange(..<6, with: newValue) }
  }

  /// The hardware address of the sender, six octets.
  var source: ArraySlice<UInt8> {
    get { octets[6..<12] }
    set { octets.replaceSubrange(6..<12, with: newValue) }
  }

  /// What the payload is.
  var type: UInt16 { octets.span.bytes.big16(12) }

  /// The payload: for IP the packet, perhaps with padding.
  var packet: RawSpan {
    @_lifetime(borrow self)
    get { octets.span.bytes.extracting(droppingFirst: Self.headerLength) }
  }

  /// The IP header; `nil` if the payload is no valid IP packet.
  var ipHeader: IPHeader? {
    guard type == EtherType.ipv4 || type == EtherType.ipv6 else { return nil }
    return IPHeader(reading: packet)
  }

  /// Changes the payload in place.
  mutating func changePacket(_ body: (inout MutableRawSpan) -> Void) {
    var span = octets.mutableSpan
    var bytes = span.mutableBytes
    var packet = bytes._mutatingExtracting(droppingFirst: Self.headerLength)
    body(&packet)
  }
}
