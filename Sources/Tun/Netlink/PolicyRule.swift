internal import CLinux
internal import Glibc
public import Net

/// A rule that says which routing table a packet asks (ip-rule(8)).
public struct PolicyRule: Sendable, Hashable {
  /// The family whose packets the rule is for.
  public var family: AddressFamily
  /// The table to ask.
  public var table: UInt32
  /// The place in the order, lowest first; 0 lets the kernel choose one before all that exist.
  public var priority: UInt32 = 0
  /// The mark that the packet must have; `nil` is any.
  public var mark: UInt32?
  /// Whether the rule is for the packets that do *not* match.
  public var isInverted = false
  /// Routes of this length and shorter do not count; 0 leaves out default routes.
  public var suppressedPrefixLength: UInt32?
  /// Where the packet must come from; `nil` is anywhere.
  public var source: IPPrefix?
  /// Where the packet must go; `nil` is anywhere.
  public var destination: IPPrefix?
  /// Who made the rule (`RTPROT_*`).
  public var origin = KernelRoute.babel

  /// Makes a rule for all packets of a family.
  public init(_ family: AddressFamily, table: UInt32) {
    self.family = family
    self.table = table
  }
}

extension PolicyRule {
  /// Reads `struct fib_rule_hdr` and its attributes; `nil` for rules that ask no table.
  internal init?(reading payload: RawSpan) {
    guard let message = payload.fixedPart(fib_rule_hdr.self),
      let family = AddressFamily(number: message.family), Int(message.action) == FR_ACT_TO_TBL
    else { return nil }
    self.init(family, table: UInt32(message.table))
    isInverted = message.flags & UInt32(FIB_RULE_INVERT) != 0
    origin = 0
    var attributes = AttributeReader(payload, after: MemoryLayout<fib_rule_hdr>.size)
    while let (type, range) = attributes.next() {
      switch type {
      case FRA_TABLE: table = payload.number(range, as: UInt32.self) ?? table
      case FRA_PRIORITY: priority = payload.number(range, as: UInt32.self) ?? priority
      case FRA_FWMARK: mark = payload.number(range, as: UInt32.self)
      case FRA_PROTOCOL: origin = payload.number(range, as: UInt8.self) ?? origin
      case FRA_SUPPRESS_PREFIXLEN:
        let length = payload.number(range, as: UInt32.self)
        suppressedPrefixLength = length == .max ? nil : length
      case FRA_SRC:
        guard let address = payload.address(range), address.family == family else { return nil }
        source = IPPrefix(address, length: Int(message.src_len))
      case FRA_DST:
        guard let address = payload.address(range), address.family == family else { return nil }
        destination = IPPrefix(address, length: Int(message.dst_len))
      default: break
      }
    }
  }

  internal func request(_ type: Int, flags: Int32) -> NetlinkRequest {
    var message = fib_rule_hdr()
    message.family = family.number
    message.src_len = source?.length ?? 0
    message.dst_len = destination?.length ?? 0
    message.table = table < 256 ? UInt8(table) : 0
    message.action = UInt8(FR_ACT_TO_TBL)
    message.flags = isInverted ? UInt32(FIB_RULE_INVERT) : 0
    var request = NetlinkRequest(type, flags: flags, message)
    request.attribute(FRA_TABLE, table)
    request.attribute(FRA_PROTOCOL, byte: origin)
    if priority != 0 { request.attribute(FRA_PRIORITY, priority) }
    if let mark {
      request.attribute(FRA_FWMARK, mark)
      request.attribute(FRA_FWMASK, UInt32.max)
    }
    if let suppressedPrefixLength { request.attribute(FRA_SUPPRESS_PREFIXLEN, suppressedPrefixLength) }
    if let source { request.attribute(FRA_SRC, source.address) }
    if let destination { request.attribute(FRA_DST, destination.address) }
    return request
  }
}
