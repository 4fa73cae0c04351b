import Mesh
import Net
import Noise
import Testing

@Suite struct UAPITests {
  private let first = String(repeating: "01", count: 32)
  private let second = String(repeating: "02", count: 32)

  private func apply(_ lines: String, to configuration: Configuration = Configuration()) throws
    -> Configuration
  {
    guard case .set(let changes) = try UAPIRequest("set=1\n" + lines) else { return configuration }
    return configuration.applying(changes)
  }

  private func prefixes(_ configuration: Configuration) -> [String] {
    configuration.peers.map { $0.allowedIPs.map(\.description).joined(separator: " ") }
  }

  // MARK: get

  @Test(arguments: WGFixture.all) func getIsAnsweredAsByWireGuardGo(fixture: WGFixture) throws {
    #expect(UAPIResponse.get(try UAPIAnswer(fixture["get"]).status) == fixture["get"])
  }

  private static let checks = [
    Status.Check(prefix: .defaultIPv4, question: "tcp 10.0.0.1:22", state: .passing, streak: 0),
    Status.Check(
      prefix: .defaultIPv6, question: "http [fd00::1]:80/a", state: .failing, streak: 2,
      reason: "HTTP status 404"),
  ]

  @Test func extendedAnswersSurviveTheRoundTrip() throws {
    var status = try UAPIAnswer(WGFixture(name: "busy")["get"]).status
    status.mtu = 1380
    status.babel = true
    status.routerID = "02:00:00:00:00:00:00:01"
    status.linkLocal = IPv6Address("fe80::1")
    status.drops = [("no route to the destination", 7)]
    status.checks = Self.checks
    status.lanes = 3
    status.offloads = [
      Status.Offload(place: "tun", name: "csum", isInUse: true),
      Status.Offload(place: "ipv4", name: "gso", isInUse: false),
    ]
    status.peers[0].configuredEndpoints = [.name("host.example", port: 7)]
    var neighbour = Status.Neighbour()
    (neighbour.reach, neighbour.rxcost, neighbour.txcost, neighbour.cost) = (0xFFFF, 96, 97, 98)
    neighbour.roundTrip = .microseconds(12_345)
    status.peers[0].neighbour = neighbour
    let read = try UAPIAnswer(UAPIResponse.show(status)).status
    #expect(UAPIResponse.show(read) == UAPIResponse.show(status))
    #expect(read.peers[0].neighbour?.roundTrip == .microseconds(12_345))
    #expect(read.drops.first?.reason == "no route to the destination" && read.mtu == 1380)
    #expect(read.checks == Self.checks)
    #expect(read.lanes == 3 && read.offloads == status.offloads)
    // A stock `get` stays what stock tools know.
    #expect(UAPIResponse.get(status) == WGFixture(name: "busy")["get"])
  }

  @Test func textSurvivesTheRoundTrip() throws {
    let answer = try UAPIAnswer(UAPIResponse.text("a = b\n\nc\n") + UAPIResponse.success)
    #expect(answer.textLines == ["a = b", "", "c", ""])
    #expect(try UAPIAnswer(UAPIResponse.text("") + UAPIResponse.success).textLines == [""])
  }

  @Test func errorsHaveTheSignThatWGExpects() throws {
    let error = UAPIError(.addressInUse, "the port\nis taken")
    #expect(UAPIResponse.failure(error, withMessage: false) == "errno=-98\n\n")
    #expect(UAPIResponse.failure(error, withMessage: true) == "message=the port is taken\nerrno=-98\n\n")
    #expect(throws: UAPIError(.addressInUse, "the port is taken")) {
      try UAPIAnswer(UAPIResponse.failure(error, withMessage: true))
    }
  }

  @Test(arguments: [
    "", "\n", "errno=x\n\n", "public_key=1\nerrno=0\n\n", "listen_port=65536\nerrno=0\n\n", "a\n",
    "lanes=x\nerrno=0\n\n", "offload=tun csum\nerrno=0\n\n", "offload=tun csum maybe\nerrno=0\n\n",
  ])
  func unreadableAnswersAreErrors(text: String) {
    #expect(throws: UAPIError.self) { try UAPIAnswer(text) }
  }

  // MARK: set

  @Test func everyKeyOfTheProtocolIsTaken() throws {
    let lines = """
      private_key=e84b5a6d2717c1003a13b431570353dbaca9146cf150c5f8575680feba52027a
      listen_port=12912
      fwmark=0
      replace_peers=true
      public_key=\(first)
      preshared_key=188515093e952f5f22e865cef3012e72f8b5f0b598ac0309d5dacce3b70fcf52
      protocol_version=1
      endpoint=[abcd:23::33%2]:51820
      replace_allowed_ips=true
      allowed_ip=192.168.4.4/32
      public_key=\(second)
      update_only=true
      endpoint=182.122.22.19:3233
      persistent_keepalive_interval=111
      replace_allowed_ips=true
      public_key=\(String(repeating: "03", count: 32))
      remove=true
      """
    let configuration = try apply(lines)
    #expect(configuration.interface.listenPort == 12912)
    #expect(configuration.interface.privateKey?.hex.hasPrefix("e84b5a6d") == true)
    #expect(configuration.peers.map(\.publicKey.hex) == [first])
    #expect(configuration.peers[0].presharedKey?.hex.hasPrefix("188515") == true)
    #expect(prefixes(configuration) == ["192.168.4.4/32"])
  }

  @Test(arguments: [
    ("foo=1", 22), ("listen_port", 71), ("listen_port=65536", 22), ("listen_port=-1", 22),
    ("listen_port=", 22),
    ("listen_port=+1", 22), ("fwmark=4294967296", 22), ("fwmark=0x1", 22), ("replace_peers=false", 22),
    ("private_key=00", 22), ("public_key=zz", 22), ("endpoint=1.2.3.4:1", 22), ("allowed_ip=1.2.3.4/32", 22),
    ("", 71), ("errno=0", 22),
  ])
  func badDeviceLinesRefuseTheWholeRequest(line: String, errno: Int32) {
    expectError(errno, in: "set=1\nlisten_port=1\n\(line)\nfwmark=2")
  }

  @Test(arguments: [
    ("update_only=false", 22), ("remove=yes", 22), ("preshared_key=1", 22), ("endpoint=host.example:1", 22),
    ("endpoint=1.2.3.4", 22), ("endpoint=1.2.3.4:65536", 22), ("endpoint=[::1]", 22),
    ("endpoint=[fe80::1%]:1", 22),
    ("persistent_keepalive_interval=65536", 22), ("replace_allowed_ips=1", 22), ("allowed_ip=10.0.0.1", 22),
    ("allowed_ip=10.0.0.0/33", 22), ("allowed_ip=::/129", 22), ("allowed_ip=--10.0.0.0/8", 22),
    ("protocol_version=2", 22), ("listen_port=1", 22), ("private_key=", 22), ("babel=yes", 22), ("x", 71),
  ])
  func badPeerLinesRefuseTheWholeRequest(line: String, errno: Int32) {
    expectError(errno, in: "set=1\npublic_key=\(first)\n\(line)")
  }

  @Test(arguments: [("get=2", 71), ("", 71), ("get=1\nx=1", 22), ("set=2\n", 71), ("meshd=1\ncommand=x", 22)])
  func otherOperationsAreRefused(text: String, errno: Int32) {
    expectError(errno, in: text)
  }

  private func expectError(_ errno: Int32, in text: String) {
    do throws(UAPIError) {
      _ = try UAPIRequest(text)
      Issue.record("\(text) was accepted")
    } catch {
      #expect(error.code.rawValue == errno, "\(text): \(error)")
    }
  }

  @Test func errorsQuoteNoSecret() {
    #expect(throws: UAPIError(.invalidArgument, "`private_key` does not take this value")) {
      try UAPIRequest("set=1\nprivate_key=\(first)5")
    }
  }

  // MARK: what changes do

  @Test func anAllowedIPMovesToItsNewOwner() throws {
    var configuration = try apply(
      "public_key=\(first)\nallowed_ip=10.0.0.7/8\nallowed_ip=fd00::/8\npublic_key=\(second)")
    configuration = try apply("public_key=\(second)\nallowed_ip=10.0.0.0/8", to: configuration)
    #expect(prefixes(configuration) == ["fd00::/8", "10.0.0.0/8"])
  }

  @Test func theOrderOfAllowedIPsIsKept() throws {
    let configuration = try apply(
      "public_key=\(first)\nallowed_ip=10.9.0.0/24\nallowed_ip=10.0.0.2/32\n"
        + "allowed_ip=10.0.0.77/32\nallowed_ip=10.9.0.0/24"
    )
    #expect(prefixes(configuration) == ["10.9.0.0/24 10.0.0.2/32 10.0.0.77/32"])
    #expect(configuration.peers[0].ownAddresses.map(\.description) == ["10.0.0.2"])
  }

  @Test func allowedIPsAreTakenSinglyAndTogether() throws {
    var configuration = try apply("public_key=\(first)\nallowed_ip=10.0.0.0/8\nallowed_ip=+fd00::/8")
    configuration = try apply("public_key=\(second)\nallowed_ip=-10.0.0.0/8", to: configuration)
    #expect(prefixes(configuration) == ["10.0.0.0/8 fd00::/8", ""])
    configuration = try apply("public_key=\(first)\nallowed_ip=-10.0.0.0/8", to: configuration)
    #expect(prefixes(configuration) == ["fd00::/8", ""])
    configuration = try apply(
      "public_key=\(first)\nallowed_ip=1.0.0.0/8\nreplace_allowed_ips=true\n"
        + "allowed_ip=fd00::/8\nallowed_ip=2.0.0.0/8",
      to: configuration)
    #expect(prefixes(configuration) == ["fd00::/8 2.0.0.0/8", ""])
  }

  @Test func ourOwnKeyIsNeverAPeer() throws {
    let secret = String(repeating: "40", count: 32)
    let own = try #require(PrivateKey(hex: secret)).publicKey.hex
    var configuration = try apply(
      "private_key=\(secret)\npublic_key=\(own)\nallowed_ip=10.0.0.0/8\npublic_key=\(first)")
    #expect(configuration.peers.map(\.publicKey.hex) == [first])
    configuration = try apply("public_key=\(own)\nallowed_ip=10.0.0.0/8")
    configuration = try apply("private_key=\(secret)", to: configuration)
    #expect(configuration.peers.isEmpty)
  }

  @Test func zeroKeysUnset() throws {
    let zero = String(repeating: "0", count: 64)
    var configuration = try apply("private_key=\(first)\npublic_key=\(second)\npreshared_key=\(first)")
    #expect(configuration.interface.privateKey != nil && configuration.peers[0].presharedKey != nil)
    configuration = try apply(
      "private_key=\(zero)\npublic_key=\(second)\npreshared_key=\(zero)", to: configuration)
    #expect(configuration.interface.privateKey == nil && configuration.peers[0].presharedKey == nil)
  }

  @Test func removedPeersTakeNoFurtherLines() throws {
    var configuration = try apply("public_key=\(first)\nallowed_ip=10.0.0.0/8\npublic_key=\(second)")
    configuration = try apply(
      "public_key=\(first)\nremove=true\nallowed_ip=11.0.0.0/8\npublic_key=\(second)\nallowed_ip=10.0.0.0/8",
      to: configuration)
    #expect(configuration.peers.map(\.publicKey.hex) == [second])
    #expect(prefixes(configuration) == ["10.0.0.0/8"])
    configuration = try apply("public_key=\(second)\nremove=true\npublic_key=\(second)", to: configuration)
    #expect(prefixes(configuration) == [""])
  }

  @Test func anEndpointIsPinnedBesideThoseConfigured() throws {
    var configuration = try apply(
      "public_key=\(first)\nadditional_endpoint=a.example:1\n"
        + "additional_endpoint=1.2.3.4:5\nadditional_endpoint=1.2.3.4:5"
    )
    #expect(configuration.peers[0].endpoints.map(\.description) == ["a.example:1", "1.2.3.4:5"])
    configuration = try apply("public_key=\(first)\nendpoint=[::1]:1", to: configuration)
    #expect(configuration.peers[0].pinned == Endpoint("[::1]:1"))
    let all = ["a.example:1", "1.2.3.4:5", "[::1]:1"]
    #expect(configuration.peers[0].allEndpoints.map(\.description) == all)
    // The next one takes its place.
    configuration = try apply("public_key=\(first)\nendpoint=1.2.3.4:5", to: configuration)
    #expect(configuration.peers[0].allEndpoints.map(\.description) == ["a.example:1", "1.2.3.4:5"])
    configuration = try apply("public_key=\(first)\nendpoint=5.6.7.8:9", to: configuration)
    configuration = try apply("public_key=\(first)\nunpin=true", to: configuration)
    #expect(configuration.peers[0].pinned == nil)
    #expect(configuration.peers[0].endpoints.map(\.description) == ["a.example:1", "1.2.3.4:5", "5.6.7.8:9"])
    configuration = try apply("public_key=\(first)\nendpoint=[fe80::1%eth0]:9", to: configuration)
    #expect(configuration.peers[0].endpoints == [.name("fe80::1%eth0", port: 9)])
  }

  @Test func replacingPeersStartsAfresh() throws {
    var configuration = try apply(
      "public_key=\(first)\nbabel=off\nallowed_ip=10.0.0.0/8\npublic_key=\(second)")
    #expect(configuration.peers[0].babel == false)
    configuration = try apply(
      "replace_peers=true\npublic_key=\(second)\nallowed_ip=10.0.0.0/8\npublic_key=\(first)",
      to: configuration)
    #expect(configuration.peers.map(\.publicKey.hex) == [second, first])
    #expect(prefixes(configuration) == ["10.0.0.0/8", ""])
    #expect(configuration.peers[1].babel == nil)
  }

  @Test func aPrefixOfTwoOwnersMovesFromBoth() throws {
    var configuration = try apply("public_key=\(first)\nallowed_ip=10.0.0.0/8\npublic_key=\(second)")
    configuration.peers[1].allowedIPs = configuration.peers[0].allowedIPs
    configuration = try apply(
      "public_key=\(String(repeating: "03", count: 32))\nallowed_ip=10.0.0.0/8", to: configuration)
    #expect(prefixes(configuration) == ["", "", "10.0.0.0/8"])
  }

  @Test func aPrefixTakenAndGivenAgainComesLast() throws {
    let configuration = try apply(
      "public_key=\(first)\nallowed_ip=10.0.0.0/8\nallowed_ip=11.0.0.0/8\nallowed_ip=-10.0.0.0/8\n"
        + "allowed_ip=12.0.0.0/8\nallowed_ip=10.0.0.0/8\nallowed_ip=10.0.0.0/8")
    #expect(prefixes(configuration) == ["11.0.0.0/8 12.0.0.0/8 10.0.0.0/8"])
  }

  @Test func manyPrefixesMoveQuickly() throws {
    let lines = (0..<20_000).map { "\nallowed_ip=10.\($0 >> 8).\($0 & 255).1/32" }.joined()
    let configuration = try apply("public_key=\(first)\(lines)\npublic_key=\(second)\(lines)")
    #expect(configuration.peers.map(\.allowedIPs.count) == [0, 20_000])
  }

  // MARK: requests as bytes

  @Test func requestsSurviveTheRoundTrip() throws {
    let texts = [
      "get=1\n\n", "set=1\n\n", "meshd=1\ncommand=show\n\n", "meshd=1\ncommand=routes\n\n",
      "meshd=1\ncommand=routes\nall=true\nformat=json\n\n", "meshd=1\ncommand=neighbours\n\n",
      "meshd=1\ncommand=xroutes\nformat=json\n\n", "meshd=1\ncommand=monitor\n\n",
      "meshd=1\ncommand=explain\naddress=fd00::1\nformat=json\n\n",
      "meshd=1\ncommand=configuration\n\n", "meshd=1\ncommand=down\n\n", "meshd=1\ncommand=reload\n\n",
      "meshd=1\ncommand=reload\npath=/etc/meshd/a b.conf\n\n",
      """
      set=1
      private_key=\(String(repeating: "40", count: 32))
      listen_port=1
      fwmark=2
      replace_peers=true
      public_key=\(first)
      update_only=true
      remove=true
      preshared_key=\(second)
      endpoint=1.2.3.4:5
      replace_endpoints=true
      additional_endpoint=[fe80::1%eth0]:9
      persistent_keepalive_interval=25
      replace_allowed_ips=true
      allowed_ip=10.0.0.0/8
      allowed_ip=-10.0.0.0/8
      protocol_version=1
      babel=inherit
      babel=on


      """,
    ]
    for text in texts { #expect(try UAPIRequest(text.dropLast(2)).text == text) }
  }

  @Test(arguments: [1, 2, 3, 7, 1000]) func requestsAreFoundInAnyPieces(size: Int) throws {
    let requests = ["get=1", "set=1\nlisten_port=1", "", "get=1", "meshd=1\ncommand=show"]
    let bytes = Array(requests.map { $0 + ($0.isEmpty ? "\n" : "\n\n") }.joined().utf8)
    var frames = UAPIFrames()
    var found: [String] = []
    for start in stride(from: 0, to: bytes.count, by: size) {
      try frames.append(bytes[start..<min(start + size, bytes.count)])
      while let request = frames.next() { found.append(request) }
    }
    #expect(found == requests)
    #expect(!frames.isInsideRequest)
    try frames.append(Array("get=1\n".utf8))
    #expect(frames.next() == nil && frames.isInsideRequest)
  }

  @Test func aRequestHasALimit() throws {
    var frames = UAPIFrames()
    let chunk = [UInt8](repeating: UInt8(ascii: "a"), count: 1 << 20)
    for _ in 0..<16 {
      try frames.append(chunk)
      #expect(frames.next() == nil)
    }
    #expect(throws: UAPIError.self) { try frames.append([0]) }
  }

  @Test func tenThousandPeersAreAppliedQuickly() throws {
    var lines = "replace_peers=true"
    for number in 0..<10_000 {
      let key = String(number, radix: 16)
      lines += "\npublic_key=" + String(repeating: "0", count: 64 - key.count) + key
      lines += "\nreplace_allowed_ips=true\nallowed_ip=10.\(number >> 8).\(number & 255).1/32"
    }
    let configuration = try apply(lines, to: try apply(lines))
    #expect(configuration.peers.count == 10_000)
    #expect(configuration.peers.allSatisfy { $0.allowedIPs.count == 1 })
  }
}
