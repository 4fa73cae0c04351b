public import Net

/// Packs messages into packets of a limited size.
///
/// Router-Id and Next Hop TLVs and prefix compression are made as needed and start anew in every packet. At most one
/// sub-TLV per TLV is written, since babeld before 1.12.2 misreads a second one, and the R flag only on AE 2, since BIRD
/// knows it nowhere else. Only IPv6 prefixes are compressed, as babeld does it.
public struct PacketWriter: Sendable {
  private let limit: Int
  private let source: IPv6Address
  private var bytes: [UInt8] = []
  private var routerID: RouterID?
  private var nextHop4: IPv4Address?
  private var nextHop6: IPv6Address
  private var defaultPrefix: UInt128?
  private var timestampOffset: Int?

  /// Makes a writer of packets from `source` with at most `limit` octets of UDP payload.
  public init(limit: Int, source: IPv6Address) {
    self.limit = limit
    self.source = source
    nextHop6 = source
    begin()
  }

  /// Whether no message was added to the current packet.
  public var isEmpty: Bool { bytes.count == PacketReader.headerLength }

  /// Adds a message to the current packet; `false`, and no change, if there is no room.
  public mutating func append(_ message: TLV) -> Bool {
    let before = self.mark
    switch message {
    case .acknowledgmentRequest(let opaque, let interval):
      header(TLVType.acknowledgmentRequest, 6)
      put16(0)
      put16(opaque)
      put16(interval.centiseconds)
    case .acknowledgment(let opaque):
      header(TLVType.acknowledgment, 2)
      put16(opaque)
    case .hello(let hello): put(hello)
    case .ihu(let ihu): put(ihu)
    case .update(let update): put(update)
    case .wildcardRetraction:
      header(TLVType.update, 10)
      bytes.append(contentsOf: [AddressEncoding.wildcard.rawValue, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF])
    case .routeRequest(let request): put(request)
    case .seqnoRequest(let request): put(request)
    }
    guard bytes.count > limit else { return true }
    restore(before)
    return false
  }

  /// Adds a TLV that no `TLV` stands for, of whose length the caller is sure.
  mutating func append(_ type: UInt8, _ body: [UInt8]) {
    header(type, body.count)
    bytes += body
  }

  /// Ends the current packet, if it holds anything, and begins the next.
  public mutating func finish() -> [UInt8]? {
    finishPacket()?.octets
  }

  /// Ends the current packet, if it holds anything, and begins the next.
  mutating func finishPacket() -> Packet? {
    guard !isEmpty else { return nil }
    let packet = Packet(octets: bytes, timestampOffset: timestampOffset)
    begin()
    return packet
  }

  private mutating func begin() {
    bytes = []
    bytes.reserveCapacity(limit + 64)
    bytes.append(contentsOf: [PacketReader.magic, PacketReader.version, 0, 0])
    routerID = nil
    nextHop4 = nil
    nextHop6 = source
    defaultPrefix = nil
    timestampOffset = nil
  }

  private struct Mark {
    var count: Int
    var routerID: RouterID?
    var nextHop4: IPv4Address?
    var nextHop6: IPv6Address
    var defaultPrefix: UInt128?
    var timestampOffset: Int?
  }

  private var mark: Mark {
    Mark(
      count: bytes.count, routerID: routerID, nextHop4: nextHop4, nextHop6: nextHop6,
      defaultPrefix: defaultPrefix, timestampOffset: timestampOffset)
  }

  private mutating func restore(_ mark: Mark) {
    bytes.removeLast(bytes.count - mark.count)
    routerID = mark.routerID
    nextHop4 = mark.nextHop4
    nextHop6 = mark.nextHop6
    defaultPrefix = mark.defaultPrefix
    timestampOffset = mark.timestampOffset
  }
}

extension PacketWriter {
  private mutating func put(_ hello: Hello) {
    header(TLVType.hello, 6 + (hello.timestamp == nil ? 0 : 6))
    put16(hello.isUnicast ? TLVFlag.unicast : 0)
    put16(hello.seqno.rawValue)
    put16(hello.interval.centiseconds)
    if let timestamp = hello.timestamp {
      header(TLVType.timestamp, 4)
      timestampOffset = bytes.count
      put32(timestamp)
    }
  }

  private mutating func put(_ ihu: IHU) {
    let encoding = ihu.address.map(Self.encoding) ?? .wildcard
    let written = encoding.bitWidth / 8 - encoding.impliedOctets
    header(TLVType.ihu, 6 + written + (ihu.timestamps == nil ? 0 : 10))
    bytes.append(encoding.rawValue)
    bytes.append(0)
    put16(ihu.rxcost.rawValue)
    put16(ihu.interval.centiseconds)
    if let address = ihu.address {
      put(UInt128(leading: address), from: encoding.impliedOctets, count: written)
    }
    if let timestamps = ihu.timestamps {
      header(TLVType.timestamp, 8)
      put32(timestamps.origin)
      put32(timestamps.receive)
    }
  }

  private mutating func put(_ request: RouteRequest) {
    guard let prefix = request.prefix else {
      header(TLVType.routeRequest, 2)
      put16(0)
      return
    }
    let octets = prefix.octetCount
    header(TLVType.routeRequest, 2 + octets + Self.sourceLength(request.source))
    bytes.append(Self.encoding(prefix).rawValue)
    bytes.append(prefix.length)
    put(UInt128(leading: prefix.address), from: 0, count: octets)
    put(source: request.source)
  }

  private mutating func put(_ request: SeqnoRequest) {
    let octets = request.prefix.octetCount
    header(TLVType.seqnoRequest, 14 + octets + Self.sourceLength(request.source))
    bytes.append(Self.encoding(request.prefix).rawValue)
    bytes.append(request.prefix.length)
    put16(request.seqno.rawValue)
    bytes.append(request.hopCount)
    bytes.append(0)
    put64(request.routerID.rawValue)
    put(UInt128(leading: request.prefix.address), from: 0, count: octets)
    put(source: request.source)
  }

  private mutating func put(_ update: Update) {
    let bits = UInt128(leading: update.prefix.address)
    let encoding: AddressEncoding = update.isIPv4ViaIPv6 ? .ipv4ViaIPv6 : Self.encoding(update.prefix)
    var flags: UInt8 = 0
    if let nextHop = update.nextHop { announce(nextHop) }
    if let routerID = update.routerID, routerID != self.routerID {
      if encoding == .ipv6, UInt64(truncatingIfNeeded: bits) == routerID.rawValue {
        flags |= TLVFlag.routerID
        self.routerID = routerID
      } else {
        announce(routerID)
      }
    }
    let octets = update.prefix.octetCount
    var omitted = 0
    if encoding == .ipv6 {
      if let shared = defaultPrefix {
        omitted = min((bits ^ shared).leadingZeroBitCount / 8, octets)
      }
      if omitted < 6, octets >= 6 {
        omitted = 0
        flags |= TLVFlag.prefix
        defaultPrefix = bits
      }
    }
    header(TLVType.update, 10 + octets - omitted + Self.sourceLength(update.source))
    bytes.append(encoding.rawValue)
    bytes.append(flags)
    bytes.append(update.prefix.length)
    bytes.append(UInt8(omitted))
    put16(update.interval.centiseconds)
    put16(update.seqno.rawValue)
    put16(update.metric.rawValue)
    put(bits, from: omitted, count: octets - omitted)
    put(source: update.source)
  }

  private mutating func announce(_ routerID: RouterID) {
    header(TLVType.routerID, 10)
    put16(0)
    put64(routerID.rawValue)
    self.routerID = routerID
  }

  private mutating func announce(_ nextHop: IPAddress) {
    switch nextHop {
    case .v4(let address):
      guard address != nextHop4 else { return }
      nextHop4 = address
    case .v6(let address):
      guard address != nextHop6 else { return }
      nextHop6 = address
    }
    let encoding = Self.encoding(nextHop)
    let written = encoding.bitWidth / 8 - encoding.impliedOctets
    header(TLVType.nextHop, 2 + written)
    bytes.append(encoding.rawValue)
    bytes.append(0)
    put(UInt128(leading: nextHop), from: encoding.impliedOctets, count: written)
  }
}

extension PacketWriter {
  private mutating func header(_ type: UInt8, _ length: Int) {
    bytes.append(type)
    bytes.append(UInt8(length))
  }

  private mutating func put16(_ value: UInt16) {
    bytes.append(UInt8(value >> 8))
    bytes.append(UInt8(truncatingIfNeeded: value))
  }

  private mutating func put32(_ value: UInt32) {
    put16(UInt16(value >> 16))
    put16(UInt16(truncatingIfNeeded: value))
  }

  private mutating func put64(_ value: UInt64) {
    put32(UInt32(value >> 32))
    put32(UInt32(truncatingIfNeeded: value))
  }

  private mutating func put(_ bits: UInt128, from start: Int, count: Int) {
    for index in start..<start + count { bytes.append(bits.octet(index)) }
  }

  private mutating func put(source: IPPrefix?) {
    guard let source, !source.isDefault else { return }
    header(TLVType.sourcePrefix, 1 + source.octetCount)
    bytes.append(source.length)
    put(UInt128(leading: source.address), from: 0, count: source.octetCount)
  }

  private static func sourceLength(_ source: IPPrefix?) -> Int {
    guard let source, !source.isDefault else { return 0 }
    return 3 + source.octetCount
  }

  private static func encoding(_ prefix: IPPrefix) -> AddressEncoding {
    prefix.family == .v4 ? .ipv4 : .ipv6
  }

  private static func encoding(_ address: IPAddress) -> AddressEncoding {
    guard case .v6(let address) = address else { return .ipv4 }
    return address.high == 0xFE80 << 48 ? .linkLocal : .ipv6
  }
}

extension IPPrefix {
  /// Octets that hold the bits that count.
  fileprivate var octetCount: Int { (Int(length) + 7) / 8 }
}
