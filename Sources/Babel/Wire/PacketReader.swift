public import Net

/// Takes the messages out of a packet and resolves what they share (RFC 8966 §4.5).
///
/// Total on hostile input: a TLV that cannot be understood is skipped. If it would have changed the parser's state, that
/// part of the state is forgotten, so that no later update is read with a router-id, next hop or prefix it was not
/// written with. The trailer (RFC 8967) is not looked at.
public struct PacketReader: ~Escapable {
  /// The first two octets of every packet.
  static let magic: UInt8 = 42
  static let version: UInt8 = 2
  static let headerLength = 4

  let packet: RawSpan
  private var offset: Int
  private let end: Int
  var state: ParserState

  /// How many TLVs were skipped because something in them was wrong; unknown types do not count.
  public internal(set) var malformedCount = 0

  /// Opens a packet that came from `source`; `nil` if it is no Babel packet.
  @_lifetime(copy packet)
  public init?(_ packet: RawSpan, from source: IPv6Address) {
    guard packet.byteCount >= Self.headerLength, packet.byte(0) == Self.magic,
      packet.byte(1) == Self.version
    else { return nil }
    end = Self.headerLength + Int(packet.big16(2))
    guard end <= packet.byteCount else { return nil }
    self.packet = packet
    offset = Self.headerLength
    state = ParserState(source: source)
  }

  /// The next message; `nil` at the end of the packet.
  @_lifetime(self: copy self)
  public mutating func next() -> TLV? {
    while offset < end {
      let type = packet.byte(offset)
      guard type != TLVType.pad1 else {
        offset += 1
        continue
      }
      let start = offset + 2
      guard start <= end, start + Int(packet.byte(offset + 1)) <= end else {
        malformedCount += 1
        offset = end
        return nil
      }
      offset = start + Int(packet.byte(start - 1))
      if let message = read(type, packet.extracting(start..<offset)) { return message }
    }
    return nil
  }

  @_lifetime(self: copy self)
  private mutating func read(_ type: UInt8, _ body: RawSpan) -> TLV? {
    switch type {
    case TLVType.acknowledgmentRequest: message(Self.acknowledgmentRequest(body))
    case TLVType.acknowledgment: message(Self.acknowledgment(body))
    case TLVType.hello: message(Self.hello(body))
    case TLVType.ihu: message(Self.ihu(body))
    case TLVType.routeRequest: message(Self.routeRequest(body))
    case TLVType.seqnoRequest: message(Self.seqnoRequest(body))
    case TLVType.update: message(state.update(body))
    case TLVType.digest: message(Self.digest(body))
    case TLVType.routerID:
      nothing(isWellFormed: state.routerID(body))
    case TLVType.nextHop:
      nothing(isWellFormed: state.nextHop(body))
    default:
      nil
    }
  }

  @_lifetime(self: copy self)
  private mutating func message(_ decoded: TLV?) -> TLV? {
    if decoded == nil { malformedCount += 1 }
    return decoded
  }

  @_lifetime(self: copy self)
  private mutating func nothing(isWellFormed: Bool) -> TLV? {
    if !isWellFormed { malformedCount += 1 }
    return nil
  }
}
