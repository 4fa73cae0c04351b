internal import Net
internal import Noise
internal import Synchronization

/// The events of one lane on their way to the control thread.
///
/// One bounded queue for each kind, so that a flood of one never displaces another; a full queue refuses the newest and the
/// lane counts it. The lane posts, the control thread drains. Only slow paths come here: a lock per event is cheap beside
/// the work that the event causes.
public final class DataPlaneEvents: Sendable {
  private enum Notice: Sendable, Equatable {
    case keyConfirmed(PeerID, ReceiverIndex)
    case endpointObserved(PeerID, Path)
  }

  /// Cookie replies carry no mac1: whoever floods with them must not displace handshakes.
  internal enum HandshakeKind {
    case handshake
    case cookie
  }

  private struct Arrival: Sendable {
    var peer: PeerID
    var instant: Instant
    var order: PacketOrder
    var path: Path?
  }

  private let handshakes: Mutex<DatagramQueue<Path>>
  private let cookies: Mutex<DatagramQueue<Path>>
  private let controls: Mutex<DatagramQueue<Arrival>>
  private let packets: Mutex<DatagramQueue<PeerID>>
  private let notices: Mutex<DatagramQueue<Notice>>
  private let hasNews = Atomic(false)

  private static let noticeCapacity = 1024

  /// Takes the memory of all queues: the capacities are numbers of events, with `octetsPerPacket` for a
  /// control datagram or a packet on average.
  public init(
    handshakeCapacity: Int = 512, controlCapacity: Int = 256, packetCapacity: Int = 256,
    octetsPerPacket: Int = 1024
  ) {
    handshakes = Mutex(
      DatagramQueue(
        capacity: handshakeCapacity, octetCapacity: handshakeCapacity * HandshakeInitiation.size))
    cookies = Mutex(DatagramQueue(capacity: 64, octetCapacity: 64 * CookieReply.size))
    controls = Mutex(
      DatagramQueue(capacity: controlCapacity, octetCapacity: max(controlCapacity * octetsPerPacket, 65536)))
    packets = Mutex(
      DatagramQueue(capacity: packetCapacity, octetCapacity: max(packetCapacity * octetsPerPacket, 65536)))
    notices = Mutex(DatagramQueue(capacity: Self.noticeCapacity, octetCapacity: 0))
  }

  /// Hands out what waits, at most `limit` events of each kind, in the order of each kind; whether more is
  /// left.
  ///
  /// For the control thread.
  public func drain(limit: Int = 64, _ body: (DataPlaneEvent) -> Void) -> Bool {
    var isMore = false
    // Notices first: a packet behind `keyConfirmed` may want an answer under the new key.
    isMore = take(limit, from: notices, body) { notice, _ in
      switch notice {
      case .keyConfirmed(let peer, let index): .keyConfirmed(peer, index)
      case .endpointObserved(let peer, let path): .endpointObserved(peer, path)
      }
    }
    isMore =
      take(limit, from: controls, body) { arrival, packet in
        .control(
          arrival.peer, packet, arrival: arrival.instant, order: arrival.order, path: arrival.path)
      } || isMore
    isMore = take(limit, from: packets, body) { .needsSession($0, $1) } || isMore
    isMore = take(limit, from: cookies, body) { .handshake($1, $0) } || isMore
    isMore = take(limit, from: handshakes, body) { .handshake($1, $0) } || isMore
    return isMore
  }

  /// Whether anything was posted since the last call: the lane then wakes the control thread.
  public func takeNews() -> Bool {
    guard hasNews.load(ordering: .relaxed) else { return false }
    return hasNews.exchange(false, ordering: .relaxed)
  }

  private func take<Header>(
    _ limit: Int, from queue: borrowing Mutex<DatagramQueue<Header>>, _ body: (DataPlaneEvent) -> Void,
    _ event: (Header, [UInt8]) -> DataPlaneEvent
  ) -> Bool {
    for _ in 0..<limit {
      // One at a time, so that the lane never waits for the work an event causes.
      guard let (header, datagram) = queue.withLock({ $0.popFirst() }) else { return false }
      body(event(header, datagram))
    }
    return queue.withLock { $0.count > 0 }
  }
}

// For lanes. Each returns whether there was room.
extension DataPlaneEvents {
  internal func postHandshake(_ message: RawSpan, _ kind: HandshakeKind, _ path: Path) -> Bool {
    switch kind {
    case .handshake: noteNews(handshakes.withLock { $0.append(path, message) })
    case .cookie: noteNews(cookies.withLock { $0.append(path, message) })
    }
  }

  internal func postControl(
    _ packet: RawSpan, from peer: PeerID, along path: Path?, at instant: Instant, _ order: PacketOrder
  ) -> Bool {
    let arrival = Arrival(peer: peer, instant: instant, order: order, path: path)
    return noteNews(controls.withLock { $0.append(arrival, packet) })
  }

  internal func postNeedsSession(_ packet: RawSpan, to peer: PeerID) -> Bool {
    noteNews(packets.withLock { $0.append(peer, packet) })
  }

  internal func postKeyConfirmed(_ peer: PeerID, _ index: ReceiverIndex) -> Bool {
    noteNews(notices.withLock { $0.append(.keyConfirmed(peer, index), RawSpan()) })
  }

  /// Posts once for a series of packets along the same new path: the table follows only at the end of a
  /// control turn.
  internal func postEndpointObserved(_ peer: PeerID, _ path: Path) -> Bool {
    let notice = Notice.endpointObserved(peer, path)
    return noteNews(
      notices.withLock {
        // A session is confirmed once, so the other half of the queue is kept for that.
        guard $0.last != notice else { return true }
        return $0.count < Self.noticeCapacity / 2 && $0.append(notice, RawSpan())
      })
  }

  private func noteNews(_ posted: Bool) -> Bool {
    if posted { hasNews.store(true, ordering: .relaxed) }
    return posted
  }
}
