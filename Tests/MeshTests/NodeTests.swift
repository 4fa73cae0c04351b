import Net
import Noise
import Simulation
import Testing

@testable import Mesh

/// One node by itself: the order of its outputs, and what it does without peers that answer.
@Suite struct NodeTests {
  private let start = Instant(nanoseconds: 1_000_000_000)

  private func key(_ seed: UInt64) throws -> PrivateKey {
    var random = SplitMix64(seed: seed)
    return try #require(PrivateKey.generate(using: &random))
  }

  private func configuration(babel: Bool = true) throws -> Configuration {
    var configuration = Configuration()
    configuration.interface.privateKey = try key(1)
    configuration.interface.babel = babel
    var peer = Configuration.Peer(publicKey: try key(2).publicKey)
    peer.allowedIPs = [IPPrefix("10.0.0.2/32")].compactMap(\.self)
    peer.endpoints = [.address(Endpoint(address: .v4(IPv4Address(192, 0, 2, 2)), port: 51820))]
    configuration.peers = [peer]
    return configuration
  }

  private func node(state: PersistentState? = nil) -> Node<SplitMix64> {
    Node(state: state, epoch: 1_700_000_000_000_000_000, random: SplitMix64(seed: 5))
  }

  private func outputs(_ node: inout Node<SplitMix64>) -> [Node<SplitMix64>.Output] {
    var outputs: [Node<SplitMix64>.Output] = []
    while let output = node.poll() { outputs.append(output) }
    return outputs
  }

  @Test func tableComesFirstAndTheStateBeforeTheInitiation() throws {
    var node = node()
    node.handle(.configure(try configuration()), at: start)
    let kinds = outputs(&node).map(\.kind)
    #expect(kinds.first == "publish")
    #expect(kinds.filter { $0 == "publish" }.count == 1)
    let initiation = try #require(kinds.firstIndex(of: "datagram"))
    #expect(kinds[..<initiation].contains("persist"))
  }

  @Test func timestampStaysBelowTheCeilingOnDisk() throws {
    var node = node()
    node.handle(.configure(try configuration()), at: start)
    let before = outputs(&node).prefix { $0.kind != "datagram" }
    let states = before.compactMap { if case .persist(let state) = $0 { state } else { nil } }
    let mark = try #require(states.last?.highWaterMark)
    #expect(mark > Timestamp(sinceUnixEpoch: .seconds(1_700_000_001)))
  }

  @Test func seqnoOfTheLastLifeIsPassed() throws {
    let old = PersistentState(seqno: 41, highWaterMark: Timestamp(seconds: 1, nanoseconds: 0))
    var node = node(state: old)
    node.handle(.configure(try configuration()), at: start)
    let states = outputs(&node).compactMap { if case .persist(let state) = $0 { state } else { nil } }
    #expect(states.first?.seqno == 42)
    #expect(states.allSatisfy { $0.highWaterMark >= old.highWaterMark })
  }

  @Test func aChangedMTUIsInTheNextTable() throws {
    var node = node()
    node.handle(.configure(try configuration()), at: start)
    _ = outputs(&node)
    func tables() -> [Int] {
      outputs(&node).compactMap { if case .publish(let table) = $0 { table.settings.mtu } else { nil } }
    }
    for mtu in [1300, 9000, 1280] {
      node.handle(.mtu(mtu), at: start)
      #expect(tables() == [mtu])
      #expect(node.status(at: start).mtu == mtu)
      node.handle(.mtu(mtu), at: start)
      #expect(tables().isEmpty, "nothing has changed")
    }
  }

  @Test func repeatedConfigurationSendsNothing() throws {
    var node = node()
    node.handle(.configure(try configuration()), at: start)
    _ = outputs(&node)
    node.handle(.configure(try configuration()), at: start.advanced(by: .seconds(1)))
    #expect(outputs(&node).allSatisfy { $0.kind == "publish" })
  }

  @Test func nodeWithoutKeyIsSilentButShowsItsPeers() throws {
    var configuration = try configuration()
    configuration.interface.privateKey = nil
    var node = node()
    node.handle(.configure(configuration), at: start)
    for second in 1..<20 { node.advance(to: start.advanced(by: .seconds(second))) }
    #expect(outputs(&node).allSatisfy { $0.kind == "publish" })
    let peers = node.status(at: start).peers
    #expect(peers.map(\.publicKey) == configuration.peers.map(\.publicKey))
    #expect(peers.first?.allowedIPs == configuration.peers[0].allowedIPs)
  }

  @Test func neighbourThatNeverAnswersIsAskedForEver() throws {
    var node = node()
    node.handle(.configure(try configuration()), at: start)
    var initiations = 0
    let end = start.advanced(by: .seconds(600))
    var now = start
    while now < end {
      now = max(node.nextDeadline, now.advanced(by: .milliseconds(1)))
      node.advance(to: now)
      initiations += outputs(&node).filter { $0.kind == "datagram" }.count
    }
    // Never more often than every five seconds.
    #expect((100...120).contains(initiations))
  }

  @Test func stagedPacketsAreDroppedWhenAPlainPeerIsGivenUp() throws {
    var node = node()
    node.handle(.configure(try configuration(babel: false)), at: start)
    let packet = TestPacket.make(from: "10.0.0.1", to: "10.0.0.2")
    node.handle(.event(.needsSession(PeerID(rawValue: 0), packet)), at: start)
    var now = start
    var gaveUp = 0
    while now < start.advanced(by: .seconds(300)) {
      now = max(node.nextDeadline, now.advanced(by: .milliseconds(1)))
      node.advance(to: now)
      for output in outputs(&node) {
        if case .event(.handshakeGaveUp) = output { gaveUp += 1 }
      }
    }
    #expect(gaveUp == 1)
    #expect(node.peer(PeerID(rawValue: 0))?.staged.isEmpty == true)
  }

  @Test func idleNodeWakesFourTimesASecond() throws {
    var node = node()
    node.handle(.configure(try configuration(babel: false)), at: start)
    var now = start
    var turns = 0
    while now < start.advanced(by: .seconds(10)) {
      now = max(node.nextDeadline, now.advanced(by: .nanoseconds(1)))
      node.advance(to: now)
      turns += 1
    }
    #expect((38...42).contains(turns))
  }

  /// Gives `responder`, which is new, an initiation of its peer to open; returns the opening it wants.
  private func opening(by responder: inout Node<SplitMix64>) throws -> Opening {
    var initiator = node()
    var far = Configuration()
    far.interface.privateKey = try key(2)
    var peer = Configuration.Peer(publicKey: try key(1).publicKey)
    peer.endpoints = [.address(Endpoint(address: .v4(IPv4Address(192, 0, 2, 1)), port: 51820))]
    far.peers = [peer]
    initiator.handle(.configure(far), at: start)
    initiator.handle(.event(.needsSession(PeerID(rawValue: 0), [1])), at: start)
    let message = outputs(&initiator).lazy.compactMap { output -> [UInt8]? in
      if case .datagram(let message, _, _) = output { message } else { nil }
    }.first
    responder.handle(.configure(try configuration(babel: false)), at: start)
    _ = outputs(&responder)
    let path = Path(remote: Endpoint(address: .v4(IPv4Address(192, 0, 2, 2)), port: 51820))
    responder.handle(.event(.handshake(try #require(message), path)), at: start)
    let wanted = outputs(&responder)
    guard wanted.count == 1, case .open(let opening) = wanted[0] else {
      throw WrongOutputs(kinds: wanted.map(\.kind))
    }
    return opening
  }

  private struct WrongOutputs: Error {
    let kinds: [String]
  }

  @Test func initiationIsAnsweredWhenItHasBeenOpened() throws {
    var node = node()
    let opening = try opening(by: &node)
    #expect(node.openings == 1)
    node.handle(.opened(opening.run()), at: start)
    #expect(outputs(&node).map(\.kind) == ["publish", "datagram"])
    #expect(node.openings == 0)
  }

  @Test func openedInitiationForAFormerKeyOrADownDeviceIsForgotten() throws {
    var configuration = try configuration(babel: false)
    configuration.interface.privateKey = try key(3)
    for change in [Node<SplitMix64>.Input.configure(configuration), .link(isUp: false)] {
      var node = node()
      let opening = try opening(by: &node)
      node.handle(change, at: start)
      _ = outputs(&node)
      node.handle(.opened(opening.run()), at: start)
      #expect(outputs(&node).map(\.kind) == [] && node.openings == 0)
    }
  }

  @Test func eventsOfUnknownPeersAreIgnored() throws {
    var node = node()
    node.handle(.configure(try configuration(babel: false)), at: start)
    _ = outputs(&node)
    let nobody = PeerID(rawValue: 7)
    let path = Path(remote: Endpoint(address: .v4(.any), port: 1))
    let events: [DataPlaneEvent] = [
      .control(
        nobody, [1, 2, 3], arrival: start, order: PacketOrder(session: start, counter: 0), path: path),
      .needsSession(nobody, [1]),
      .keyConfirmed(nobody, ReceiverIndex(1)), .endpointObserved(nobody, path),
      .handshake([], path), .handshake([1, 0, 0, 0], path),
      .handshake([UInt8](repeating: 3, count: 64), path),
    ]
    for event in events { node.handle(.event(event), at: start) }
    node.handle(.staleSource(nobody, path), at: start)
    #expect(outputs(&node).isEmpty)
  }
}

extension Node.Output {
  /// The name of the case.
  fileprivate var kind: String {
    switch self {
    case .publish: "publish"
    case .open: "open"
    case .datagram: "datagram"
    case .probe: "probe"
    case .seal, .speak: "seal"
    case .hostPrefixesChanged: "hostPrefixesChanged"
    case .underlayChanged: "underlayChanged"
    case .persist: "persist"
    case .change: "change"
    case .event: "event"
    }
  }
}
