internal import CLinux
internal import Glibc
internal import Net
internal import SystemPackage

/// One message of rtnetlink(7), as a value.
public struct NetlinkMessage: Sendable, Equatable {
  /// What the message says.
  public enum Content: Sendable, Equatable {
    /// An interface exists, is new or has changed.
    case link(Link)
    /// An interface has gone.
    case linkRemoved(Link)
    /// An address exists, is new or has changed.
    case address(InterfaceAddress)
    /// An address has gone.
    case addressRemoved(InterfaceAddress)
    /// A route exists, is new or has changed.
    case route(KernelRoute)
    /// A route has gone.
    case routeRemoved(KernelRoute)
    /// A policy rule exists or is new.
    case rule(PolicyRule)
    /// A policy rule has gone.
    case ruleRemoved(PolicyRule)
    /// A request is done; `nil` means it worked.
    case acknowledgement(NetlinkError?)
    /// A dump is complete, or could not be completed.
    case done(NetlinkError?)
    /// A message of another kind, or one that does not say what its kind must say.
    case other
  }

  /// The number of the request that this answers; 0 for news.
  public let sequence: UInt32
  /// Whether a dump changed while it was read, and must be read again.
  public let isInterrupted: Bool
  /// What the message says.
  public let content: Content
}

extension NetlinkMessage.Content {
  internal init(type: Int, flags: Int32, _ payload: RawSpan) {
    switch type {
    case RTM_NEWLINK: self = Link(reading: payload).map { .link($0) } ?? .other
    case RTM_DELLINK: self = Link(reading: payload).map { .linkRemoved($0) } ?? .other
    case RTM_NEWADDR: self = InterfaceAddress(reading: payload).map { .address($0) } ?? .other
    case RTM_DELADDR: self = InterfaceAddress(reading: payload).map { .addressRemoved($0) } ?? .other
    case RTM_NEWROUTE: self = KernelRoute(reading: payload).map { .route($0) } ?? .other
    case RTM_DELROUTE: self = KernelRoute(reading: payload).map { .routeRemoved($0) } ?? .other
    case RTM_NEWRULE: self = PolicyRule(reading: payload).map { .rule($0) } ?? .other
    case RTM_DELRULE: self = PolicyRule(reading: payload).map { .ruleRemoved($0) } ?? .other
    case Int(NLMSG_ERROR): self = .acknowledgement(payload, flags: flags)
    case Int(NLMSG_DONE): self = .done(payload)
    default: self = .other
    }
  }

  private static func done(_ payload: RawSpan) -> Self {
    .done(NetlinkError(negated: payload.fixedPart(Int32.self)))
  }

  /// Reads `struct nlmsgerr`: the error, the request's header (and the request, unless capped), attributes.
  private static func acknowledgement(_ payload: RawSpan, flags: Int32) -> Self {
    guard payload.byteCount >= 4 else { return .other }
    guard var error = NetlinkError(negated: payload.fixedPart(Int32.self)) else {
      return .acknowledgement(nil)
    }
    let header = 4 + MemoryLayout<nlmsghdr>.size
    if flags & NLM_F_ACK_TLVS != 0, payload.byteCount >= header {
      var start = header
      if flags & NLM_F_CAPPED == 0 {
        start = 4 + max(Int(unsafe payload.unsafeLoadUnaligned(fromByteOffset: 4, as: UInt32.self)), 16)
      }
      var attributes = AttributeReader(payload, after: start)
      while let attribute = attributes.next() {
        if attribute.type == Int(NLMSGERR_ATTR_MSG.rawValue) { error.text = payload.text(attribute.range) }
      }
    }
    return .acknowledgement(error)
  }
}
