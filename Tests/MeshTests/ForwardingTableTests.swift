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
      (0..<4).filter { draft.receivers[ReceiverIndex($0)]?.peer == Self.peer }
    }
    draft[Self.peer] = Self.entry(current: keypairs[0], next: keypairs[1])
    #expect(indices() == [0, 1])
    draft[Self.peer] = Self.entry(previous: keypairs[0], current: keypairs[1])
    #expect(indices() == [0, 1])
    let published = draft.freeze()
    draft[Self.peer] = Self.entry(previous: keypairs[1], current: keypairs[2], next: keypairs[3])
    #expect(indices() == [1, 2, 3])
    draft[Self.peer] = nil
    #expect(indices().isEmpty && draft.receivers.count == 0)
    // What was published does not change.
    #expect(published.receivers[ReceiverIndex(0)]?.keypair === keypairs[0])
    #expect(published.peer(Self.peer)?.current === keypairs[1])
    #expect(draft.freeze().peer(Self.peer) == nil)
  }

  @Test func unknownPeersAreNil() {
    #expect(ForwardingTable.empty.peer(PeerID(rawValue: 0)) == nil)
    #expect(ForwardingTable.empty.peer(PeerID(rawValue: .max)) == nil)
    #expect(ForwardingTable.empty.receivers[ReceiverIndex(0)] == nil)
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
    #expect(draft.freeze().allowedIPs.target(for: own) == .local)
  }
}
