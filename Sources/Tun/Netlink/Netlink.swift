internal import CLinux
internal import Glibc
public import Net
public import SystemPackage

/// Asks and changes the host's links, addresses, routes and rules.
///
/// The corresponding protocol is rtnetlink(7).
///
/// Calls wait for the kernel's answer, which it gives at once. For the control thread.
public struct Netlink: ~Copyable {
  private var socket: NetlinkSocket
  private var sequence: UInt32 = 0

  /// Opens a socket.
  public init() throws(Errno) {
    socket = try NetlinkSocket(isBlocking: true)
  }

  /// A change of a list that the kernel refused.
  public struct Refusal: Sendable, Equatable {
    /// The change's place in the list.
    public let index: Int
    /// Why.
    public let error: NetlinkError
  }

  /// Makes one change.
  public mutating func apply(_ change: NetlinkChange) throws(NetlinkError) {
    if let refusal = try apply([change]).first { throw refusal.error }
  }

  /// Makes changes in order, many in one system call; returns those that the kernel refused.
  ///
  /// One refusal does not stop the others. It throws if the conversation itself failed, so that nothing is known about
  /// the rest.
  public mutating func apply(_ changes: [NetlinkChange]) throws(NetlinkError) -> [Refusal] {
    var refusals: [Refusal] = []
    // As many as have room for their answers in the socket's buffer.
    let batchSize = 128
    var start = 0
    while start < changes.count {
      let end = min(start + batchSize, changes.count)
      let first = sequence &+ 1
      var bytes: [UInt8] = []
      for change in changes[start..<end] {
        sequence &+= 1
        var request = change.request
        request.seal(sequence: sequence)
        bytes.append(contentsOf: request.bytes)
      }
      try send(bytes)
      var outstanding = end - start
      while outstanding > 0 {
        for message in try receive() {
          let index = Int(message.sequence &- first)
          guard case .acknowledgement(let error) = message.content, index < end - start else { continue }
          outstanding -= 1
          if let error { refusals.append(Refusal(index: start + index, error: error)) }
        }
      }
      start = end
    }
    return refusals
  }

  /// All interfaces.
  public mutating func links() throws(NetlinkError) -> [Link] {
    try dump(NetlinkRequest(RTM_GETLINK, flags: NLM_F_DUMP, ifinfomsg())) {
      if case .link(let link) = $0 { link } else { nil }
    }
  }

  /// The interface with this index.
  public mutating func link(_ index: UInt32) throws(NetlinkError) -> Link {
    var message = ifinfomsg()
    message.ifi_index = Int32(bitPattern: index)
    let content = try ask(NetlinkRequest(RTM_GETLINK, flags: 0, message))
    guard case .link(let link) = content else { throw NetlinkError(.noSuchAddressOrDevice) }
    return link
  }

  /// The addresses of all interfaces.
  public mutating func addresses() throws(NetlinkError) -> [InterfaceAddress] {
    try dump(NetlinkRequest(RTM_GETADDR, flags: NLM_F_DUMP, ifaddrmsg())) {
      if case .address(let address) = $0 { address } else { nil }
    }
  }

  /// The routes of one family, those of the kernel's own caches left out.
  ///
  /// `origin` picks those of one maker, `table` those in one table.
  public mutating func routes(_ family: AddressFamily, origin: UInt8? = nil, table: UInt32? = nil)
    throws(NetlinkError) -> [KernelRoute]
  {
    var message = rtmsg()
    message.rtm_family = family.number
    message.rtm_protocol = origin ?? 0
    var request = NetlinkRequest(RTM_GETROUTE, flags: NLM_F_DUMP, message)
    if let table { request.attribute(Int(RTA_TABLE.rawValue), table) }
    do {
      return try dump(request) {
        // An old kernel does not filter.
        guard case .route(let route) = $0, origin == nil || route.origin == origin,
          table == nil || route.table == table
        else { return nil }
        return route
      }
    } catch {
      // The kernel says so for a table that does not exist yet.
      guard table != nil, error.errno == .noSuchFileOrDirectory else { throw error }
      return []
    }
  }

  /// The policy rules of one family that ask a table.
  public mutating func rules(_ family: AddressFamily) throws(NetlinkError) -> [PolicyRule] {
    var message = fib_rule_hdr()
    message.family = family.number
    return try dump(NetlinkRequest(RTM_GETRULE, flags: NLM_F_DUMP, message)) {
      if case .rule(let rule) = $0 { rule } else { nil }
    }
  }

  /// The route that a packet of ours with this source and mark would take.
  ///
  /// A cached path whose interface differs from the route's has become stale: its local side is to be forgotten.
  public mutating func route(to destination: IPAddress, from source: IPAddress? = nil, mark: UInt32 = 0)
    throws(NetlinkError) -> KernelRoute
  {
    var message = rtmsg()
    message.rtm_family = destination.family.number
    message.rtm_dst_len = UInt8(destination.family.bitWidth)
    message.rtm_src_len = source.map { UInt8($0.family.bitWidth) } ?? 0
    var request = NetlinkRequest(RTM_GETROUTE, flags: 0, message)
    request.attribute(Int(RTA_DST.rawValue), destination)
    if let source { request.attribute(Int(RTA_SRC.rawValue), source) }
    if mark != 0 { request.attribute(Int(RTA_MARK.rawValue), mark) }
    guard case .route(let route) = try ask(request) else { throw NetlinkError(.networkUnreachable) }
    return route
  }
}

extension Netlink {
  private mutating func send(_ bytes: [UInt8]) throws(NetlinkError) {
    do {
      try socket.send(bytes)
    } catch {
      throw NetlinkError(error)
    }
  }

  private mutating func receive() throws(NetlinkError) -> [NetlinkMessage] {
    do {
      return try socket.messages()
    } catch {
      throw NetlinkError(error)
    }
  }

  /// Sends a question that has one answer.
  private mutating func ask(_ request: NetlinkRequest) throws(NetlinkError) -> NetlinkMessage.Content {
    sequence &+= 1
    var request = request
    request.seal(sequence: sequence)
    try send(request.bytes)
    while true {
      for message in try receive() where message.sequence == sequence {
        if case .acknowledgement(let error?) = message.content { throw error }
        return message.content
      }
    }
  }

  /// Sends a question that has many answers; asks again if they changed meanwhile.
  private mutating func dump<Value>(
    _ request: NetlinkRequest, _ value: (NetlinkMessage.Content) -> Value?
  ) throws(NetlinkError) -> [Value] {
    for _ in 0..<16 {
      sequence &+= 1
      var request = request
      request.seal(sequence: sequence)
      try send(request.bytes)
      var values: [Value] = []
      var isInterrupted = false
      var isDone = false
      while !isDone {
        for message in try receive() where message.sequence == sequence {
          isInterrupted = isInterrupted || message.isInterrupted
          switch message.content {
          case .done(nil): isDone = true
          case .done(let error?), .acknowledgement(let error?): throw error
          case let content: if let value = value(content) { values.append(value) }
          }
        }
      }
      if !isInterrupted { return values }
    }
    throw NetlinkError(.resourceBusy)
  }
}
