import LinkEmulation
import Net
import Testing

@Suite struct AddressTranslatorTests {
  private let inside = Endpoint(address: .v4(IPv4Address(10, 0, 0, 2)), port: 51820)
  private let remote = Endpoint(address: .v4(IPv4Address(203, 0, 113, 1)), port: 51820)
  private let stranger = Endpoint(address: .v4(IPv4Address(203, 0, 113, 2)), port: 51820)
  private let outside = IPAddress.v4(IPv4Address(192, 0, 2, 1))
  private var link: EmulatedLink

  init() throws {
    link = EmulatedLink(seed: 1)
    _ = try link.perform("nat on address 192.0.2.1")
  }

  /// Sends a datagram out; returns where it comes from outside.
  private mutating func goOut(
    from source: Endpoint? = nil, to destination: Endpoint? = nil, at now: Instant = .ms(0)
  ) -> Endpoint? {
    let packet = TestFrame.udp(from: source ?? inside, to: destination ?? remote)
    guard let frame = link.crossing(TestFrame.frame(packet), at: now).first else { return nil }
    let port = UInt16(frame.payload[20]) << 8 | UInt16(frame.payload[21])
    return frame.header.map { Endpoint(address: $0.source, port: port) }
  }

  /// Sends a datagram back; returns whether it gets in.
  private mutating func comesIn(to mapped: Endpoint, from source: Endpoint, at now: Instant = .ms(0)) -> Bool
  {
    let packet = TestFrame.udp(from: source, to: mapped)
    return !link.crossing(TestFrame.frame(packet, inbound: true), from: .b, at: now).isEmpty
  }

  @Test mutating func aDatagramComesFromAnotherPortWithRightChecksums() throws {
    let mapped = try #require(goOut())
    #expect(mapped.address == outside && mapped.port != 51820)
    let packet = TestFrame.udp(from: inside, to: remote)
    #expect(
      link.crossing(TestFrame.frame(packet)).map(\.payload) == [TestFrame.udp(from: mapped, to: remote)])
  }

  @Test mutating func theAnswerArrivesInsideAsIfNothingHadBeen() throws {
    let mapped = try #require(goOut())
    let answer = TestFrame.frame(TestFrame.udp(from: remote, to: mapped), inbound: true)
    let arrived = link.crossing(answer, from: .b)
    #expect(arrived == [TestFrame.frame(TestFrame.udp(from: remote, to: inside), inbound: true)])
  }

  @Test mutating func aDatagramWithoutChecksumStaysSo() throws {
    var packet = TestFrame.udp(from: inside, to: remote)
    packet.replaceSubrange(26..<28, with: [0, 0])
    let frame = try #require(link.crossing(TestFrame.frame(packet)).first)
    #expect(frame.payload[26...27] == [0, 0])
  }

  @Test mutating func theMappingDependsOnTheInsideAlone() throws {
    let first = try #require(goOut())
    #expect(goOut(to: stranger) == first)
    let neighbour = Endpoint(address: .v4(IPv4Address(10, 0, 0, 3)), port: 51820)
    #expect(goOut(from: neighbour) != first)
  }

  @Test mutating func onlyThoseWhoWereWrittenToMayAnswer() throws {
    let mapped = try #require(goOut())
    #expect(comesIn(to: mapped, from: remote))
    #expect(!comesIn(to: mapped, from: stranger))
    #expect(!comesIn(to: mapped, from: Endpoint(address: remote.address, port: 9)))
    #expect(!comesIn(to: Endpoint(address: outside, port: 9), from: remote))
    #expect(!comesIn(to: Endpoint(address: inside.address, port: mapped.port), from: remote))
    #expect(link.ba.counters.dropped(.nat) == 4)
    _ = goOut(to: stranger)
    #expect(comesIn(to: mapped, from: stranger))
  }

  @Test mutating func aMappingExpiresUnlessItIsRefreshedFromInside() throws {
    _ = try link.perform("nat expire 10s")
    let mapped = try #require(goOut(at: .ms(0)))
    #expect(goOut(at: .ms(6_000)) == mapped)
    #expect(comesIn(to: mapped, from: remote, at: .ms(15_999)))
    #expect(!comesIn(to: mapped, from: remote, at: .ms(16_000)))
    #expect(goOut(at: .ms(16_000)) != mapped)
  }

  @Test mutating func aRebindingGivesOtherPortsAndClosesTheOld() throws {
    let before = try #require(goOut())
    _ = try link.perform("nat rebind")
    #expect(!comesIn(to: before, from: remote))
    let after = try #require(goOut())
    #expect(after.address == before.address && after.port != before.port)
    #expect(comesIn(to: after, from: remote))
  }

  @Test mutating func withoutAnAddressThePortAloneChanges() throws {
    _ = try link.perform("nat address off")
    let mapped = try #require(goOut())
    #expect(mapped.address == inside.address && mapped.port != inside.port)
    #expect(comesIn(to: mapped, from: remote))
  }

  @Test mutating func echoesAreTranslatedByTheirIdentifier() throws {
    let request = TestFrame.icmp(
      type: 8, rest: 0x1234_0001, payload: [5, 6], from: inside.address, to: remote.address)
    let sent = try #require(link.crossing(TestFrame.frame(request)).first).payload
    let rest = sent[24..<28].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    #expect(rest >> 16 != 0x1234)
    #expect(
      sent
        == TestFrame.icmp(type: 8, rest: rest, payload: [5, 6], from: outside, to: remote.address))
    let reply = TestFrame.icmp(type: 0, rest: rest, payload: [5, 6], from: remote.address, to: outside)
    let arrived = TestFrame.icmp(
      type: 0, rest: 0x1234_0001, payload: [5, 6], from: remote.address, to: inside.address)
    #expect(
      link.crossing(TestFrame.frame(reply, inbound: true), from: .b).map(\.payload) == [arrived])
  }

  @Test mutating func anErrorAboutADatagramFindsItsSender() throws {
    let mapped = try #require(goOut())
    func unreachable(quoting source: Endpoint, to destination: IPAddress) -> [UInt8] {
      TestFrame.icmp(
        type: 3, rest: 0, payload: TestFrame.udp(from: source, to: remote), from: stranger.address,
        to: destination)
    }
    let error = TestFrame.frame(unreachable(quoting: mapped, to: outside), inbound: true)
    #expect(
      link.crossing(error, from: .b).map(\.payload) == [unreachable(quoting: inside, to: inside.address)])
  }

  @Test mutating func otherProtocolsAndFragmentsDoNotPass() {
    let other = TestFrame.ipv4(
      from: inside.address, to: remote.address, protocolNumber: 6, payload: [UInt8](repeating: 0, count: 20))
    #expect(link.crossing(TestFrame.frame(other)).isEmpty)
    var fragment = TestFrame.udp(from: inside, to: remote)
    fragment[6] = 0x20
    #expect(link.crossing(TestFrame.frame(fragment)).isEmpty)
    #expect(link.ab.counters.dropped(.nat) == 2)
    #expect(link.crossing(TestFrame.opaque(1)).count == 1)
    #expect(link.crossing(TestFrame.frame([0x60], type: 0x86DD)).count == 1)
  }

  @Test mutating func itAnswersForItsAddress() throws {
    var request = ByteWriter()
    request.append(big64: 0x0001_0800_0604_0001)
    request.append(contentsOf: TestFrame.outsideHardware)
    request.append(remote.address)
    request.append(contentsOf: [0, 0, 0, 0, 0, 0])
    request.append(outside)
    let frame = TestFrame.frame(request.bytes, type: 0x0806, inbound: true)
    link.receive(frame, at: .b, now: .ms(0))
    #expect(link.arrivals(at: .a, .ms(0)).isEmpty)
    let reply = try #require(link.arrivals(at: .b, .ms(0)).first).octets
    #expect(Array(reply[..<6]) == TestFrame.outsideHardware)
    #expect(reply[20...21] == [0, 2])
    #expect(reply[6..<12] == reply[22..<28])
    #expect(Array(reply[28..<32]) == [192, 0, 2, 1])
    #expect(Array(reply[32..<38]) == TestFrame.outsideHardware)
    #expect(Array(reply[38..<42]) == [203, 0, 113, 1])
  }
}
