internal import Net

/// A request for a newer sequence number that was not answered yet (RFC 8966 §3.2.7).
struct PendingSeqnoRequest: Sendable {
  /// Why it was sent, which says to whom it is sent again.
  enum Reason: Sendable, Equatable {
    /// Every way left is unfeasible: whoever has one is asked.
    case starvation
    /// A neighbour announced a route that would be used if it were feasible.
    case unfeasible(NeighbourID)
    /// Other nodes ask; they repeat it themselves.
    case forwarded
    /// The holder of an older claim than ours is to hear of it.
    case claim
  }

  /// The originator asked.
  var routerID: RouterID
  /// The oldest sequence number that will do.
  var seqno: Seqno
  /// Why it was sent.
  var reason: Reason
  /// Who waits for the answer besides us.
  var requesters: [NeighbourID] = []
  /// How often it was sent.
  var attempts = 1
  /// Until when copies from others are taken for copies.
  var quietUntil: Instant
  /// When it is sent again, or forgotten.
  var deadline: Instant
}

/// The pending requests for one prefix.
///
/// Few at any time, so a list.
struct PendingSeqnoRequests: Sendable {
  private(set) var rows: [PendingSeqnoRequest] = []

  /// The next time at which something is to be done.
  var deadline: Instant { rows.reduce(.distantFuture) { min($0, $1.deadline) } }

  /// The request that covers one for `seqno` from `routerID`, if any.
  func index(covering routerID: RouterID, _ seqno: Seqno) -> Int? {
    rows.firstIndex { $0.routerID == routerID && !seqno.isNewer(than: $0.seqno) }
  }

  /// Remembers a request in place of those that it covers; the oldest makes room if there are `capacity`.
  mutating func insert(_ request: PendingSeqnoRequest, capacity: Int) {
    var request = request
    rows.removeAll { row in
      guard row.routerID == request.routerID, !row.seqno.isNewer(than: request.seqno) else { return false }
      for neighbour in row.requesters where !request.requesters.contains(neighbour) {
        request.requesters.append(neighbour)
      }
      return true
    }
    if rows.count >= capacity { rows.removeFirst() }
    rows.append(request)
  }

  /// Notes that row `index` was sent again.
  mutating func renew(at index: Int, quietUntil: Instant, deadline: Instant) {
    rows[index].quietUntil = quietUntil
    rows[index].deadline = deadline
  }

  /// Notes that `neighbour` waits for the answer to row `index`, too.
  mutating func add(requester neighbour: NeighbourID, at index: Int) {
    guard !rows[index].requesters.contains(neighbour) else { return }
    rows[index].requesters.append(neighbour)
  }

  /// Removes the rows that a route with these values answers, and returns who waited for them.
  mutating func satisfy(_ routerID: RouterID, _ seqno: Seqno) -> [NeighbourID] {
    guard !rows.isEmpty else { return [] }
    var requesters: [NeighbourID] = []
    rows.removeAll { row in
      let isReached = row.routerID == routerID && seqno.answers(row.seqno)
      switch row.reason {
      case .claim: return false
      case .unfeasible: guard isReached else { return false }
      // A different originator will do as well: what was asked for is no longer what is announced (§3.8.1.2).
      case .starvation, .forwarded: guard isReached || row.routerID != routerID else { return false }
      }
      for neighbour in row.requesters where !requesters.contains(neighbour) { requesters.append(neighbour) }
      return true
    }
    return requesters
  }

  /// Forgets those that a claim of ours has caused.
  mutating func removeClaims() {
    rows.removeAll { $0.reason == .claim }
  }

  /// Takes out the rows whose deadline has come.
  mutating func removeDue(at now: Instant) -> [PendingSeqnoRequest] {
    guard deadline <= now else { return [] }
    let due = rows.filter { $0.deadline <= now }
    rows.removeAll { $0.deadline <= now }
    return due
  }

  /// Forgets a neighbour that went away.
  mutating func remove(_ neighbour: NeighbourID) {
    for index in rows.indices { rows[index].requesters.removeAll { $0 == neighbour } }
    rows.removeAll {
      $0.reason == .unfeasible(neighbour) || ($0.reason == .forwarded && $0.requesters.isEmpty)
    }
  }
}
