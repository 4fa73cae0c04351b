import Mesh
import Net
import Noise
import Testing

@Suite struct ForwardingTableTests {
  private static let peer = PeerID(rawValue: 2)

  private static func entry(previous: Keypair? = nil, current: Keypair? = nil, next: Keypair? = nil)
    -> PeerEntry
  {
    PeerEntry(
      publicKey: Sessions.publicKey(1), previous: previous, current: current, next: next,
      activity: PeerActivity())
  }

  @Test func sessionsEnterAndLeaveWithTheirPeer() {
    let keypairs = (0..<4).map { Sessions.keypair(local: $0) }
    var draft = ForwardingTable.Draft()
    func indices() -> [UInt32] {
      (0..<4).filter { draft.receivers[ReceiverIndex($0)] == Self.peer }
    }
    draft[Self.peer] = Self.entry(current: keypairs[0], next: keypairs[1])
    #expect(indices() == [0, 1])
    draft[Self.peer] = Self.entry(previous: keypairs[0], current: keypairs[1])
    #expect(indices() == [0, 1])
    let published = draft.freeze()
    draft[Self.peer] = Self.entry(previous: keypairs[1], current: keypairs[2], next: keypairs[3])
    #expect(indices() == [1, 2, 3])
    let full = draft.freeze()
    for index in 1...3 { #expect(full.session(ReceiverIndex(UInt32(index)))?.keypair === keypairs[index]) }
    draft[Self.peer] = nil
    #expect(indices().isEmpty && draft.receivers.count == 0)
    // What was published does not change.
    #expect(published.session(ReceiverIndex(0))?.keypair === keypairs[0])
    #expect(published.peer(Self.peer)?.current === keypairs[1])
    #expect(draft.freeze().peer(Self.peer) == nil)
  }

  @Test func unknownPeersAreNil() {
    #expect(ForwardingTable.empty.peer(PeerID(rawValue: 0)) == nil)
    #expect(ForwardingTable.empty.peer(PeerID(rawValue: .max)) == nil)
    #expect(ForwardingTable.empty.session(ReceiverIndex(0)) == nil)
  }

  @Test func tablesWithManyPeersShareWhatDidNotChange() {
    var draft = ForwardingTable.Draft()
    let ids = [0, 1, 63, 64, 65, 1_000, 127, 128].map { PeerID(rawValue: $0) }
    for id in ids { draft[id] = Self.entry() }
    let published = draft.freeze()
    draft[ids[3]] = nil
    draft[ids[4]] = Self.entry(current: Sessions.keypair(local: 9))
    let next = draft.freeze()
    for id in ids { #expect(published.peer(id) != nil && published.peer(id)?.current == nil) }
    for id in ids where id != ids[3] && id != ids[4] { #expect(next.peer(id) === published.peer(id)) }
    #expect(next.peer(ids[3]) == nil && next.peer(PeerID(rawValue: 999)) == nil)
    #expect(next.session(ReceiverIndex(9))?.id == ids[4])
  }

  @Test func aRemovedSessionEndsWithTheLastTable() {
    weak var keypair: Keypair?
    var draft = ForwardingTable.Draft()
    do {
      let session = Sessions.keypair(local: 7)
      keypair = session
      draft[Self.peer] = Self.entry(current: session)
    }
    var table = draft.freeze()
    draft[Self.peer] = nil
    #expect(keypair != nil)
    table = draft.freeze()
    #expect(keypair == nil && table.receivers.count == 0)
  }

  @Test func ownAddressesAreLocalWhoeverClaimsThem() throws {
    let own = try #require(IPAddress("10.0.0.9"))
    var draft = ForwardingTable.Draft()
    draft.allowedIPs[IPPrefix(host: own)] = Route(owner: Self.peer)
    draft.settings.ownAddresses = [own]
    #expect(draft.freeze().allowedIPs.target(for: own, from: own) == .local)
  }
}
