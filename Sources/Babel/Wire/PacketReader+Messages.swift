internal import Net

// The TLVs that neither use nor change the parser's state. A body is what follows type and length.

extension PacketReader {
  static func acknowledgmentRequest(_ body: RawSpan) -> TLV? {
    guard body.byteCount >= 6, SubTLVs(after: 6, of: body) != nil, body.big16(4) != 0 else { return nil }
    return .acknowledgmentRequest(opaque: body.big16(2), interval: Interval(centiseconds: body.big16(4)))
  }

  static func acknowledgment(_ body: RawSpan) -> TLV? {
    guard body.byteCount >= 2, SubTLVs(after: 2, of: body) != nil else { return nil }
    return .acknowledgment(opaque: body.big16(0))
  }

  static func hello(_ body: RawSpan) -> TLV? {
    guard body.byteCount >= 6, let extras = SubTLVs(after: 6, of: body) else { return nil }
    return .hello(
      Hello(
        isUnicast: body.big16(0) & TLVFlag.unicast != 0, seqno: Seqno(body.big16(2)),
        interval: Interval(centiseconds: body.big16(4)), timestamp: extras.timestamps?.first))
  }

  static func ihu(_ body: RawSpan) -> TLV? {
    guard body.byteCount >= 6, let encoding = AddressEncoding(rawValue: body.byte(0)),
      encoding != .ipv4ViaIPv6
    else { return nil }
    let written = encoding.bitWidth / 8 - encoding.impliedOctets
    guard body.byteCount >= 6 + written, let extras = SubTLVs(after: 6 + written, of: body),
      body.big16(4) != 0
    else { return nil }
    var times: IHU.Timestamps?
    if let (origin, second) = extras.timestamps, let receive = second {
      times = IHU.Timestamps(origin: origin, receive: receive)
    }
    return .ihu(
      IHU(
        address: address(body.extracting(6..<6 + written), encoding), rxcost: Metric(body.big16(2)),
        interval: Interval(centiseconds: body.big16(4)), timestamps: times))
  }

  static func digest(_ body: RawSpan) -> TLV? {
    guard body.byteCount >= 12 else { return nil }
    return .digest(SyncDigest(hash: body.big64(0), count: body.big32(8)))
  }

  static func routeRequest(_ body: RawSpan) -> TLV? {
    guard body.byteCount >= 2, let encoding = AddressEncoding(rawValue: body.byte(0)) else { return nil }
    let length = Int(body.byte(1))
    guard encoding != .wildcard else {
      guard length == 0, SubTLVs(after: 2, of: body) != nil else { return nil }
      return .routeRequest(RouteRequest())
    }
    guard let (prefix, end) = prefix(body, at: 2, length: length, encoding),
      let extras = SubTLVs(after: end, of: body, encoding: encoding, takesSource: true)
    else { return nil }
    return .routeRequest(RouteRequest(prefix: prefix, source: extras.source))
  }

  static func seqnoRequest(_ body: RawSpan) -> TLV? {
    guard body.byteCount >= 14, let encoding = AddressEncoding(rawValue: body.byte(0)),
      let (prefix, end) = prefix(body, at: 14, length: Int(body.byte(1)), encoding),
      let extras = SubTLVs(after: end, of: body, encoding: encoding, takesSource: true),
      let routerID = RouterID(body.big64(6)), body.byte(4) != 0
    else { return nil }
    return .seqnoRequest(
      SeqnoRequest(
        prefix: prefix, source: extras.source, routerID: routerID, seqno: Seqno(body.big16(2)),
        hopCount: body.byte(4)))
  }

  /// The address written in all of `octets`; `nil` for the wildcard.
  static func address(_ octets: RawSpan, _ encoding: AddressEncoding) -> IPAddress? {
    guard let family = encoding.family else { return nil }
    var bits: UInt128 = encoding == .linkLocal ? linkLocalPrefix : 0
    for index in 0..<octets.byteCount {
      bits |= UInt128(octets.byte(index)) << UInt128(120 - 8 * (encoding.impliedOctets + index))
    }
    return bits.address(family)
  }

  /// fe80::/64, which AE 3 implies.
  static let linkLocalPrefix = UInt128(0xFE80) << 112

  /// An uncompressed prefix at `start`, and where it ends.
  private static func prefix(
    _ body: RawSpan, at start: Int, length: Int, _ encoding: AddressEncoding
  ) -> (IPPrefix, end: Int)? {
    guard let family = encoding.family, length <= encoding.bitWidth else { return nil }
    let end = start + max((length + 7) / 8 - encoding.impliedOctets, 0)
    guard body.byteCount >= end, let bits = address(body.extracting(start..<end), encoding),
      let prefix = IPPrefix(bits, length: length), prefix.family == family
    else { return nil }
    return (prefix, end)
  }
}

extension SubTLVs {
  /// Reads what follows the first `natural` octets of a TLV's body.
  init?(
    after natural: Int, of body: RawSpan, encoding: AddressEncoding = .wildcard, takesSource: Bool = false
  ) {
    self.init(
      reading: body.extracting(natural..<body.byteCount), encoding: encoding, takesSource: takesSource)
  }
}
