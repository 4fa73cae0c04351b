import Mesh
import Net
import Simulation
import Testing

/// Rule 6.5 as a table: which sources a peer may use, by what is known of them.
@Suite struct SourceCheckTests {
  struct Case: CustomTestStringConvertible {
    var source: String
    var from: UInt32
    var refusedAs: DropReason?
    var payload: [UInt8]?
    var protocolNumber: UInt8 = 253

    var testDescription: String { "\(source) from \(from)" }
  }

  // Peer 1 speaks Babel, 2 speaks it within 10.2.0.0/16, 3 does not, 70 speaks it beyond the first word.
  private static let cases: [Case] = [
    Case(source: "10.1.0.1", from: 1),  // announced by 1, goes to 2
    Case(source: "10.1.0.1", from: 70),
    Case(source: "10.1.0.1", from: 2, refusedAs: .unacceptedSource),  // the target, but outside its ceiling
    Case(source: "10.1.0.1", from: 3, refusedAs: .disallowedSource),
    Case(source: "10.1.9.1", from: 1, refusedAs: .disallowedSource),  // a longer prefix anchors the check
    Case(source: "10.1.9.1", from: 70),
    Case(source: "10.2.0.1", from: 2),
    Case(source: "10.2.0.1", from: 1, refusedAs: .disallowedSource),
    Case(source: "10.3.0.1", from: 3),
    Case(source: "10.3.0.1", from: 1),  // held, but in its grace
    Case(source: "10.5.0.1", from: 1),  // owned, although nobody announces it
    Case(source: "10.6.0.1", from: 1, refusedAs: .unknownSource),
    Case(source: "10.0.0.9", from: 1, refusedAs: .martianSource),  // our own address
    Case(source: "10.0.0.9", from: 3, refusedAs: .disallowedSource),
    Case(source: "10.7.0.1", from: 1),  // a prefix that we and 1 announce
    Case(source: "10.7.0.1", from: 70, refusedAs: .disallowedSource),
    Case(source: "0.0.0.1", from: 1, refusedAs: .martianSource),
    Case(source: "127.0.0.1", from: 1, refusedAs: .martianSource),
    Case(source: "224.1.2.3", from: 1, refusedAs: .martianSource),
    Case(source: "255.255.255.255", from: 1, refusedAs: .martianSource),
    Case(source: "169.254.1.1", from: 1, refusedAs: .linkLocal),
    Case(source: "::", from: 1, refusedAs: .martianSource),
    Case(source: "::1", from: 1, refusedAs: .martianSource),
    Case(source: "ff05::1", from: 1, refusedAs: .martianSource),
    Case(source: "ff02::1", from: 1, refusedAs: .linkLocal),
    // ICMP errors come from routers anywhere, but not from us or nowhere, nor through plain peers.
    Case(source: "10.6.0.1", from: 1, payload: [11, 0, 0, 0, 0, 0, 0, 0], protocolNumber: 1),
    Case(source: "fd06::1", from: 1, payload: [2, 0, 0, 0, 0, 0, 0, 0], protocolNumber: 58),
    Case(
      source: "10.6.0.1", from: 1, refusedAs: .unknownSource, payload: [8, 0, 0, 0, 0, 0, 0, 0],
      protocolNumber: 1),
    Case(
      source: "fd06::1", from: 1, refusedAs: .unknownSource, payload: [128, 0, 0, 0, 0, 0, 0, 0],
      protocolNumber: 58),
    Case(
      source: "10.0.0.9", from: 1, refusedAs: .martianSource, payload: [11, 0, 0, 0, 0, 0, 0, 0],
      protocolNumber: 1),
    Case(
      source: "10.6.0.1", from: 3, refusedAs: .disallowedSource, payload: [11, 0, 0, 0, 0, 0, 0, 0],
      protocolNumber: 1),
  ]

  @Test(arguments: cases)
  func theTruthTableHolds(_ test: Case) throws {
    func id(_ raw: UInt32) -> PeerID { PeerID(rawValue: raw) }
    var a = Plane(1)
    var b = Plane(2)
    connect(&a, as: 1, &b, as: test.from)
    let accept = try [#require(IPPrefix("10.2.0.0/16"))]
    let session = b.draft[id(test.from)]?.current
    b.addPeer(
      test.from, current: session, babel: test.from != 3, accept: test.from == 2 ? accept : nil)
    b.draft.settings.transit = .process
    b.draft.settings.ownAddresses = try [#require(IPAddress("10.0.0.9"))]
    b.route("10.1.0.0/16", Route(.peer(id(2)), sources: [id(1), id(2), id(70)]))
    b.route("10.1.9.0/24", Route(.peer(id(70)), sources: [id(70)]))
    b.route("10.2.0.0/16", Route(.peer(id(2)), sources: [id(2)]))
    b.route("10.3.0.0/16", Route(.peer(id(3)), owners: [id(3)], sources: [id(1)]))
    b.route("10.5.0.0/16", Route(.none, owners: [id(1)]))
    b.route("10.7.0.0/16", Route(.local, sources: [id(1)]))
    let destination = try #require(IPAddress(test.source)).family == .v4 ? "10.0.0.9" : "fd00::9"
    let packet = TestPacket.make(
      from: test.source, to: destination, protocolNumber: test.protocolNumber, payload: test.payload)

    var batch = PacketBatch(bufferCount: 1, bufferCapacity: 2048)
    let sealed = a.outbound.seal(packet.span.bytes, to: id(1), in: &batch, table: a.draft.freeze(), at: a.now)
    #expect(sealed)
    let received = b.receive(Sent.all(of: batch).datagrams).packets
    #expect(received == (test.refusedAs == nil ? [packet] : []))
    for reason in DropReason.allCases { #expect(b.drops[reason] == (reason == test.refusedAs ? 1 : 0)) }
  }

  @Test func exemptionsAreLimited() {
    var a = Plane(1)
    var b = Plane(2)
    connect(&a, as: 1, &b, as: 1, babel: true)
    a.route("0.0.0.0/0", Route(owner: PeerID(rawValue: 1)))
    let error = TestPacket.make(
      from: "10.6.0.1", to: "10.0.0.9", protocolNumber: 1, payload: [11, 0, 0, 0, 0, 0, 0, 0])
    let received = b.receive(a.send(Array(repeating: error, count: 80)).datagrams).packets
    #expect(received.count == 50 && b.drops[.unknownSource] == 30)
  }
}
