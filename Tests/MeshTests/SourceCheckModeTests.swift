import Mesh
import Net
import Noise
import Simulation
import Testing

/// Every mode of the source check, against a table written by hand and against the rule written out.
@Suite struct SourceCheckModeTests {
  private typealias Mode = Configuration.SourceCheck

  private static func id(_ raw: UInt32) -> PeerID { PeerID(rawValue: raw) }

  /// A node and one of its peers, which sends: 1 and 70 speak Babel, 2 speaks it within 10.0.0.0/8, 3 does not.
  private struct Rig: ~Copyable {
    var sender = Plane(1)
    var node = Plane(2)
    private var batch = PacketBatch(bufferCount: 1, bufferCapacity: 2048)

    init(from peer: UInt32, _ mode: Mode) {
      connect(&sender, as: 1, &node, as: peer)
      let session = node.draft[id(peer)]?.current
      let accept = peer == 2 ? ["10.0.0.0/8", "fd00::/8"].compactMap { IPPrefix($0) } : nil
      node.addPeer(peer, current: session, babel: peer != 3, accept: accept)
      node.draft.settings.transit = .process
      node.draft.settings.sourceCheck = mode
      node.draft.settings.ownAddresses = ["10.0.0.9", "fd00::9"].compactMap { IPAddress($0) }
    }

    /// Why a packet is refused; `nil` if its source is admitted.
    mutating func refusal(of packet: [UInt8]) -> DropReason? {
      let reasons: [DropReason] = [.martianSource, .unacceptedSource, .unknownSource, .disallowedSource]
      let before = reasons.map { node.drops[$0] }
      batch.removeAll()
      let table = sender.draft.freeze()
      let isSealed = sender.outbound.seal(
        packet.span.bytes, to: id(1), in: &batch, table: table, at: sender.now)
      #expect(isSealed)
      _ = node.receive(Sent.all(of: batch).datagrams)
      return zip(reasons, before).first { node.drops[$0] > $1 }?.0
    }
  }

  private struct Row {
    var source: String
    var from: UInt32
    /// Whether the packet passes when the check is anchored, covering, strict, off.
    var passes: (Bool, Bool, Bool, Bool)
    var refusedAs = DropReason.disallowedSource

    func passes(_ mode: Mode) -> Bool {
      switch mode {
      case .anchored: passes.0
      case .covering: passes.1
      case .strict: passes.2
      case .off: passes.3
      }
    }
  }

  private static let never = (false, false, false, false)
  private static let rows: [Row] = [
    Row(source: "10.9.9.9", from: 1, passes: (true, true, false, true)),  // announced by 1, goes to 70
    Row(source: "10.1.0.1", from: 1, passes: (false, true, false, true)),  // 1 announces a shorter one
    Row(source: "10.1.0.1", from: 2, passes: (true, true, true, true)),
    Row(source: "10.2.0.1", from: 2, passes: (true, true, false, true)),
    Row(source: "10.2.0.1", from: 1, passes: (true, true, true, true)),
    Row(source: "10.3.0.1", from: 1, passes: (true, true, false, true)),  // held, in its grace
    Row(source: "10.4.0.1", from: 1, passes: (true, true, false, true)),  // owned by 1, packets go to 70
    Row(source: "10.5.0.1", from: 1, passes: (false, false, false, true)),  // ours: no shorter prefix helps
    Row(source: "10.6.0.1", from: 1, passes: (true, true, false, true)),  // ours and its
    Row(source: "10.7.0.1", from: 1, passes: (true, true, false, true)),  // announced for some sources only
    Row(source: "10.7.0.1", from: 70, passes: (false, true, true, true)),
    Row(source: "172.16.0.1", from: 1, passes: (false, false, false, true), refusedAs: .unknownSource),
    Row(source: "172.16.0.1", from: 2, passes: never, refusedAs: .unacceptedSource),
    Row(source: "10.0.0.9", from: 1, passes: never, refusedAs: .martianSource),  // our address
    Row(source: "127.0.0.1", from: 1, passes: never, refusedAs: .martianSource),
    // Without Babel, WireGuard's own rule holds in every mode.
    Row(source: "10.1.0.1", from: 3, passes: never),
    Row(source: "10.8.0.1", from: 3, passes: (true, true, true, true)),
  ]

  @Test(arguments: Configuration.SourceCheck.allCases)
  func theTruthTableHolds(_ mode: Configuration.SourceCheck) {
    for row in Self.rows {
      var rig = Rig(from: row.from, mode)
      rig.node.route("10.0.0.0/8", Route(.peer(Self.id(70)), sources: [Self.id(1), Self.id(70)]))
      rig.node.route("10.1.0.0/16", Route(.peer(Self.id(2)), sources: [Self.id(2)]))
      rig.node.route("10.2.0.0/16", Route(.peer(Self.id(1)), sources: [Self.id(1), Self.id(2)]))
      rig.node.route("10.3.0.0/16", Route(.unreachable, sources: [Self.id(1)]))
      rig.node.route("10.4.0.0/16", Route(.none, owners: [Self.id(1)]))
      rig.node.route("10.5.0.0/16", Route(.local))
      rig.node.route("10.6.0.0/16", Route(.local, sources: [Self.id(1)]))
      rig.node.route(
        "10.7.0.0/16", from: "10.9.0.0/16", Route(.peer(Self.id(2)), sources: [Self.id(1), Self.id(2)]))
      rig.node.route("10.8.0.0/16", Route(owner: Self.id(3)))
      let refusal = rig.refusal(of: TestPacket.make(from: row.source, to: "10.0.0.9"))
      let expected = row.passes(mode) ? nil : row.refusedAs
      #expect(refusal == expected, "\(row.source) from \(row.from), \(mode)")
    }
  }

  @Test(arguments: Configuration.SourceCheck.allCases)
  func errorsFromRoutersPassInEveryModeAtALimitedRate(_ mode: Configuration.SourceCheck) {
    for (source, isOurs) in [("172.16.0.1", false), ("10.0.0.9", true)] {
      var rig = Rig(from: 1, mode)
      let error = TestPacket.make(
        from: source, to: "10.0.0.9", protocolNumber: 1, payload: [11, 0, 0, 0, 0, 0, 0, 0])
      let refusals = (0..<80).map { _ in rig.refusal(of: error) }
      let passed = refusals.count { $0 == nil }
      #expect(passed == (isOurs ? 0 : mode == .off ? 80 : 50), "\(source), \(mode)")
    }
  }

  // MARK: The rule

  private struct Key: Hashable {
    var prefix: IPPrefix
    var source: IPPrefix?
  }

  /// `babel.md` §6.5 for a peer that speaks Babel, in as many words.
  private static func refusal(
    _ routes: [Key: Route], _ source: IPAddress, _ destination: IPAddress, _ peer: PeerID, _ mode: Mode
  ) -> DropReason? {
    let known = Set(routes.keys.map(\.prefix).filter { $0.contains(source) })
    func announces(_ prefix: IPPrefix) -> Bool {
      routes.contains { key, route in
        key.prefix == prefix && (route.sources.contains(peer) || route.owners.contains(peer))
      }
    }
    if mode == .off { return nil }
    guard let longest = known.max(by: { $0.length < $1.length }) else { return .unknownSource }
    let isOurs = routes[Key(prefix: longest)]?.target == .local
    let isAllowed: Bool
    switch mode {
    case .anchored: isAllowed = announces(longest)
    case .covering: isAllowed = announces(longest) || (!isOurs && known.contains(where: announces))
    case .strict, .off:
      let matching = routes.filter { key, route in
        route.target != .none && key.prefix.contains(source) && key.source?.contains(destination) != false
      }
      func rank(_ key: Key) -> (UInt8, UInt8) { (key.prefix.length, key.source?.length ?? 0) }
      isAllowed = matching.max { rank($0.key) < rank($1.key) }?.value.target == .peer(peer)
    }
    return isAllowed ? nil : .disallowedSource
  }

  @Test(arguments: Configuration.SourceCheck.allCases, [1, 2, 3, 4] as [UInt64])
  func agreesWithTheRuleWrittenOut(_ mode: Configuration.SourceCheck, seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let family: AddressFamily = seed % 2 == 0 ? .v4 : .v6
    // On both sides of the end of the first word.
    let peer: UInt32 = seed > 2 ? 70 : 1
    var rig = Rig(from: peer, mode)
    var routes: [Key: Route] = [:]
    func address() -> IPAddress {
      switch family {
      case .v4: .v4(IPv4Address(bits: 0x0A40_0000 | UInt32(truncatingIfNeeded: random.next()) & 0x0000_C0C0))
      case .v6: .v6(IPv6Address(high: 0xFD40 << 48 | random.next() & 0xC0C0, low: 1))
      }
    }
    func prefix() -> IPPrefix {
      let length = family.bitWidth / 4 + Int(random.next() % 40)
      return IPPrefix(address(), length: min(length, family.bitWidth)) ?? .defaultIPv4
    }
    func peers() -> PeerSet {
      PeerSet(
        (0..<random.next() % 3).map { _ in [Self.id(1), Self.id(2), Self.id(70)][Int(random.next() % 3)] })
    }
    for step in 0..<300 {
      var key = Key(prefix: prefix())
      if random.next() % 3 == 0 { key.source = prefix() }
      let targets: [Route.Target] = [.none, .unreachable, .local, .peer(Self.id(1)), .peer(Self.id(70))]
      var target = targets[Int(random.next() % 5)]
      // A host's own address is another matter.
      if target == .local, key.prefix.isHost { target = .none }
      let isOwnable = key.source == nil
      let route = Route(target, owners: isOwnable ? peers() : [], sources: peers())
      // Removed as often as set, so that fifty stay.
      let victims = routes.keys.sorted {
        ($0.prefix, $0.source ?? $0.prefix) < ($1.prefix, $1.source ?? $1.prefix)
      }
      if victims.count >= 50 {
        let victim = victims[Int(random.next() % 50)]
        routes[victim] = nil
        rig.node.draft.allowedIPs[victim.prefix, from: victim.source] = nil
      }
      routes[key] = route.isEmpty ? nil : route
      rig.node.draft.allowedIPs[key.prefix, from: key.source] = route
      let source = address()
      let destination = address()
      let expected = Self.refusal(routes, source, destination, Self.id(peer), mode)
      let refusal = rig.refusal(of: TestPacket.make(from: "\(source)", to: "\(destination)"))
      #expect(refusal == expected, "seed \(seed) step \(step) \(source) to \(destination)")
    }
  }
}
