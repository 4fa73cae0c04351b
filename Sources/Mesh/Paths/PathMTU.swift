public import Net
internal import Noise

/// How large a packet one path carries in one piece, found out with padded probes (DPLPMTUD, RFC 8899).
///
/// For one path to a peer that answers probes. A size is that of a plaintext in octets, inner packet and padding: probes
/// have exactly the size asked for and leave with DF; data never grows beyond `confirmed` by padding. What a router or the
/// kernel says is a hint about which size to probe next, nothing more, so that a forged one costs a few probes (§4.6.2).
///
/// The largest size goes out alone, as mostly it is all it takes. Without an answer, the sizes that networks have follow it
/// together, each three times, so that one round trip finds the largest that passes; the rest is bisection. When all are
/// lost, nothing is confirmed: data may still pass, in fragments.
public struct PathMTU: Sendable {
  /// How exactly the size is found, in octets.
  public static let resolution = 8
  /// How long a size is relied on before it is probed again, while the path carries traffic (CONFIRMATION_TIMER, §5.1.1):
  /// until then nothing tells that large packets have begun to vanish.
  public static let confirmationInterval = Duration.seconds(10)
  /// How long the path is left alone when nothing passed.
  public static let pause = Duration.seconds(60)
  /// How long until a larger size is tried again (PMTU_RAISE_TIMER, §5.1.1).
  public static let raiseInterval = Duration.seconds(600)
  /// How long hints and suspicions are left alone after a size was confirmed: forged ones cause no more probes than this.
  public static let suspicionInterval = Duration.seconds(1)
  /// How often all sizes in question are probed before those without an answer count as too big (MAX_PROBES, §5.1.2).
  public static let rounds = 3
  /// The least time an answer is waited for (PROBE_TIMER, §5.1.1).
  public static let patience = Duration.seconds(1)
  /// Outer packets that networks carry: Ethernet, with PPPoE, with 6in4 or IP in IP, with more around it, and the least
  /// that IPv6 asks of a link.
  private static let outerSizes = [1500, 1492, 1480, 1400, 1280]

  /// The largest size that is probed.
  public let ceiling: Int
  /// The largest size known to pass; `nil` while none is.
  public private(set) var confirmed: Int?
  /// Whether data uses the path.
  ///
  /// If not, only a search under way goes on, and what is suspected is looked into.
  public var carriesTraffic = true

  private let overhead: Int
  private var search: Search?
  /// The smallest size that counts as too big.
  private var limit: Int
  private var isSuspected = false
  private var settled = Instant.zero
  private var raised: Instant?

  private struct Search {
    /// What is probed and has not been answered, the largest first.
    var sizes: [Int]
    /// The largest size answered since the search began, or the one it started from.
    var found: Int?
    /// In round 0 only the largest goes out.
    var round: Int
    var next = 0
    /// One hint is followed; forged ones could keep a search from its end.
    var isHinted = false
    /// When the next probe is to be sent, or the round has been answered as far as it ever will be.
    var due: Instant

    init(_ sizes: [Int], from found: Int?, at now: Instant) {
      self.sizes = sizes
      self.found = found
      round = sizes.count > 1 ? 0 : 1
      due = now
    }

    var isRoundSent: Bool { next >= (round == 0 ? min(1, sizes.count) : sizes.count) }
  }

  /// Makes the machine of a path over outer packets of `family`; it starts to search at once.
  ///
  /// `ceiling` is the MTU of the interface that the path leaves by less the overhead, or that of the TUN device if this is
  /// smaller.
  public init(ceiling: Int, over family: AddressFamily) {
    self.ceiling = ceiling
    overhead = Self.overhead(over: family)
    limit = ceiling + 1
    search = Search(sizes(above: 0), from: nil, at: .zero)
  }

  /// Octets around the plaintext: IP and UDP header, data header and tag.
  public static func overhead(over family: AddressFamily) -> Int {
    (family == .v4 ? 20 : 40) + 8 + DataHeader.overhead
  }

  /// Whether a better answer than `confirmed` is being looked for, or it is being confirmed.
  public var isSearching: Bool { search != nil }

  /// When `probe` is to be called.
  public var nextDeadline: Instant {
    if let search { return search.due }
    if isSuspected { return settled.advanced(by: Self.suspicionInterval) }
    guard carriesTraffic else { return .distantFuture }
    return settled.advanced(by: confirmed == nil ? Self.pause : Self.confirmationInterval)
  }

  /// The size of a probe to be sent now; to be called until it returns `nil`.
  ///
  /// The round trip time of the path says how long an answer is waited for.
  public mutating func probe(at now: Instant, roundTrip: Duration) -> Int? {
    if search == nil, nextDeadline <= now { begin(at: now) }
    while var current = search {
      if !current.isRoundSent {
        let size = current.sizes[current.next]
        current.next += 1
        current.due = now.advanced(by: max(Self.patience, roundTrip * 3))
        search = current
        return size
      }
      guard current.due <= now else { return nil }
      if current.round < Self.rounds {
        search?.round += 1
        search?.next = 0
      } else {
        proceed(at: now)
      }
    }
    return nil
  }

  /// Notes the answer to a probe of this size.
  public mutating func acknowledged(_ size: Int, at now: Instant) {
    guard size <= ceiling else { return }
    confirmed = max(size, confirmed ?? size)
    // It came late, or three were lost on the way.
    if size >= limit { limit = ceiling + 1 }
    guard var current = search else { return }
    current.found = max(size, current.found ?? size)
    current.sizes.removeAll { $0 <= size }
    search = current
    if current.sizes.isEmpty { proceed(at: now) }
  }

  /// Notes that the kernel (EMSGSIZE) or a router (packet too big, fragmentation needed) finds a packet larger than `mtu`
  /// octets of outer packet, IP header included.
  ///
  /// A search under way goes on with that size; a confirmed size that this contradicts is probed again.
  public mutating func refused(mtu: Int, at now: Instant) {
    let size = mtu - overhead
    if let confirmed, size < confirmed { isSuspected = true }
    guard var current = search, !current.isHinted else { return }
    guard size >= floor, size > current.found ?? 0, size < limit else { return }
    // The size itself, and one that tells whether more would have passed.
    let probe = min(size + Self.resolution, limit - 1)
    for size in [probe, size] where !current.sizes.contains(size) { current.sizes.append(size) }
    current.sizes.sort(by: >)
    current.next = current.sizes.firstIndex(of: probe) ?? 0
    current.round = 1
    current.isHinted = true
    current.due = now
    search = current
  }

  /// Notes that large packets seem to be lost, or that a path that was dead lives: what is confirmed is confirmed anew, and
  /// searched for if nothing is (§4.3).
  public mutating func suspect() { isSuspected = true }
}

extension PathMTU {
  /// Starts what is due: a first search, a look at what is confirmed, or one beyond it.
  private mutating func begin(at now: Instant) {
    guard let confirmed else {
      isSuspected = false
      limit = ceiling + 1
      search = Search(sizes(above: 0), from: nil, at: now)
      return
    }
    if !isSuspected, confirmed < ceiling, let last = raised, last.advanced(by: Self.raiseInterval) <= now {
      raised = now
      limit = ceiling + 1
      // If the path has not changed, this is all it costs.
      search = Search([min(confirmed + Self.resolution, ceiling)], from: confirmed, at: now)
      return
    }
    isSuspected = false
    search = Search([confirmed] + sizes(above: 0).filter { $0 < confirmed }, from: nil, at: now)
  }

  /// Goes on when all sizes are answered or given up: to those between what passes and what does not, or to rest.
  private mutating func proceed(at now: Instant) {
    guard let current = search else { return }
    limit = current.sizes.last ?? limit
    confirmed = current.found
    let further = sizes(above: current.found ?? 0)
    if !further.isEmpty {
      search = Search(further, from: current.found, at: now)
    } else if let found = current.found, limit - found > Self.resolution {
      search = Search([(found + limit) / 2], from: found, at: now)
    } else {
      search = nil
      raised = raised ?? now
      settled = now
    }
  }

  /// The sizes that networks have, and the ceiling, as far as they are in question.
  private func sizes(above size: Int) -> [Int] {
    let known = Self.outerSizes.map { $0 - overhead }.filter { $0 < ceiling }
    return ([ceiling] + known).filter { $0 > size && $0 < limit }
  }

  /// The smallest size that is probed, unless the ceiling is lower.
  private var floor: Int { (Self.outerSizes.last ?? 1280) - overhead }
}
