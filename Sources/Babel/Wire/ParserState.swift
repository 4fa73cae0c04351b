internal import Net

/// What one TLV of a packet leaves behind for those after it (RFC 8966 §4.5).
///
/// Every packet starts anew.
struct ParserState {
  /// The originator of the updates that follow.
  private(set) var routerID: RouterID?
  /// The next hop of IPv4 updates; undefined at first, since packets are IPv6.
  private(set) var nextHop4: IPv4Address?
  /// The next hop of all other updates; the sender at first.
  private(set) var nextHop6: IPv6Address?
  /// The default prefixes, one per compressible encoding; AE 1 and AE 4 do not share theirs.
  private var defaults4: UInt128?
  private var defaults6: UInt128?
  private var defaults4Via6: UInt128?

  init(source: IPv6Address) {
    nextHop6 = source
  }

  /// Takes a Router-Id TLV; `false` if it was malformed.
  mutating func routerID(_ body: RawSpan) -> Bool {
    routerID = body.byteCount >= 10 ? RouterID(body.big64(2)) : nil
    // Sub-TLVs cannot undo the effect, not even mandatory ones (§4.4).
    return routerID != nil
  }

  /// Takes a Next Hop TLV; `false` if it was malformed.
  mutating func nextHop(_ body: RawSpan) -> Bool {
    guard body.byteCount >= 1 else {
      (nextHop4, nextHop6) = (nil, nil)
      return false
    }
    guard let encoding = AddressEncoding(rawValue: body.byte(0)),
      encoding != .wildcard, encoding != .ipv4ViaIPv6
    else { return false }
    let end = 2 + encoding.bitWidth / 8 - encoding.impliedOctets
    var address: IPAddress?
    if body.byteCount >= end { address = PacketReader.address(body.extracting(2..<end), encoding) }
    switch (encoding, address) {
    case (.ipv4, .v4(let address)): nextHop4 = address
    case (.ipv4, _): nextHop4 = nil
    case (_, .v6(let address)): nextHop6 = address
    default: nextHop6 = nil
    }
    return address != nil
  }

  /// Takes an Update TLV; `nil` if nothing may be done with it.
  ///
  /// Its flags take effect in any case.
  mutating func update(_ body: RawSpan) -> TLV? {
    guard body.byteCount >= 10 else {
      invalidate(afterTruncated: body)
      return nil
    }
    guard let encoding = AddressEncoding(rawValue: body.byte(0)) else { return nil }
    let flags = body.byte(1)
    let length = Int(body.byte(2))
    let omitted = Int(body.byte(3))
    guard let (bits, end) = prefix(body, encoding, length: length, omitted: omitted) else {
      if flags & TLVFlag.prefix != 0 { setDefault(nil, encoding) }
      if flags & TLVFlag.routerID != 0 { routerID = nil }
      return nil
    }
    if flags & TLVFlag.prefix != 0 { setDefault(bits, encoding) }
    if flags & TLVFlag.routerID != 0 { setRouterID(from: bits, encoding) }

    let interval = Interval(centiseconds: body.big16(4))
    let seqno = Seqno(body.big16(6))
    let metric = Metric(body.big16(8))
    guard let extras = SubTLVs(after: end, of: body, encoding: encoding, takesSource: true),
      interval != .zero
    else { return nil }
    guard let family = encoding.family else {
      return !metric.isFinite && length == 0 && omitted == 0 ? .wildcardRetraction : nil
    }
    guard let prefix = IPPrefix(bits.address(family), length: length) else { return nil }
    let isIPv4ViaIPv6 = encoding == .ipv4ViaIPv6
    guard metric.isFinite else {
      return .update(
        Update(
          retracting: prefix, source: extras.source, isIPv4ViaIPv6: isIPv4ViaIPv6, seqno: seqno,
          interval: interval))
    }
    guard let routerID,
      let nextHop = encoding == .ipv4 ? nextHop4.map(IPAddress.v4) : nextHop6.map(IPAddress.v6)
    else { return nil }
    return .update(
      Update(
        prefix: prefix, source: extras.source, isIPv4ViaIPv6: isIPv4ViaIPv6, routerID: routerID,
        nextHop: nextHop, seqno: seqno, metric: metric, interval: interval))
  }

  /// The decoded prefix with zeros behind it, and where it ends in the body.
  private func prefix(
    _ body: RawSpan, _ encoding: AddressEncoding, length: Int, omitted: Int
  ) -> (bits: UInt128, end: Int)? {
    guard encoding != .wildcard else { return (0, 10) }
    guard length <= encoding.bitWidth else { return nil }
    var bits: UInt128 = 0
    var start = omitted
    if encoding == .linkLocal {
      guard omitted == 0 else { return nil }
      bits = PacketReader.linkLocalPrefix
      start = encoding.impliedOctets
    } else if omitted > 0 {
      guard let compressed = defaultPrefix(encoding) else { return nil }
      bits = compressed & .mask(leading: 8 * omitted)
    }
    let octets = (length + 7) / 8
    guard omitted <= octets else { return nil }
    let end = 10 + max(octets - start, 0)
    guard body.byteCount >= end else { return nil }
    for index in 10..<end {
      bits |= UInt128(body.byte(index)) << UInt128(120 - 8 * (start + index - 10))
    }
    return (bits & .mask(leading: length), end)
  }

  private func defaultPrefix(_ encoding: AddressEncoding) -> UInt128? {
    switch encoding {
    case .ipv4: defaults4
    case .ipv6: defaults6
    case .ipv4ViaIPv6: defaults4Via6
    case .wildcard, .linkLocal: nil
    }
  }

  private mutating func setDefault(_ bits: UInt128?, _ encoding: AddressEncoding) {
    switch encoding {
    case .ipv4: defaults4 = bits
    case .ipv6: defaults6 = bits
    case .ipv4ViaIPv6: defaults4Via6 = bits
    case .wildcard, .linkLocal: break
    }
  }

  // §4.6.9: the last eight octets of an IPv6 address; four zeros and the address for IPv4.
  private mutating func setRouterID(from bits: UInt128, _ encoding: AddressEncoding) {
    switch encoding {
    case .ipv6, .linkLocal: routerID = RouterID(UInt64(truncatingIfNeeded: bits))
    case .ipv4, .ipv4ViaIPv6: routerID = RouterID(UInt64(truncatingIfNeeded: bits >> 96))
    case .wildcard: break
    }
  }

  /// Forgets what an Update too short to be read might have set.
  private mutating func invalidate(afterTruncated body: RawSpan) {
    let flags = body.byteCount >= 2 ? body.byte(1) : .max
    if flags & TLVFlag.routerID != 0 { routerID = nil }
    guard flags & TLVFlag.prefix != 0 else { return }
    guard body.byteCount >= 1 else {
      (defaults4, defaults6, defaults4Via6) = (nil, nil, nil)
      return
    }
    if let encoding = AddressEncoding(rawValue: body.byte(0)) { setDefault(nil, encoding) }
  }
}
