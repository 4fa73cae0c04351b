import Babel
import Foundation
import Net
import Noise
import Testing

@testable import Mesh

/// babeld's monitoring protocol, against lines that babeld wrote.
@Suite struct BabeldProtocolTests {
  private func recording() throws -> [String] {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../Fixtures/babeld/local-socket.txt")
    return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(String.init)
      .filter { !$0.hasPrefix("#") }
  }

  /// The words of a line by the word before each.
  private func fields(_ line: String) -> [String: String] {
    let words = line.split(separator: " ").map(String.init)
    return Dictionary(zip(words, words.dropFirst()), uniquingKeysWith: { first, _ in first })
  }

  private func metric(_ text: String?) throws -> UInt16 { try #require(text.flatMap { UInt16($0) }) }

  /// The change that a line of babeld tells.
  private func change(_ line: String, key: PublicKey) throws -> TableChange {
    let words = line.split(separator: " ").map(String.init)
    let kind = try #require(TableChange.Kind(rawValue: words[0]))
    let fields = fields(line)
    switch words[1] {
    case "interface":
      var ipv4: IPv4Address?
      if case .v4(let address)? = fields["ipv4"].flatMap({ IPAddress($0) }) { ipv4 = address }
      return TableChange(
        kind,
        .interface(
          InterfaceRow(
            isUp: fields["up"] == "true", linkLocal: fields["ipv6"].flatMap { IPv6Address($0) }, ipv4: ipv4)))
    case "neighbour":
      var row = NeighbourRow(publicKey: key, number: 0)
      row.address = fields["address"].flatMap { IPv6Address($0) }
      row.multicastReach = try #require(fields["reach"].flatMap { UInt16($0, radix: 16) })
      row.unicastReach = try #require(fields["ureach"].flatMap { UInt16($0, radix: 16) })
      row.rxcost = try metric(fields["rxcost"])
      row.txcost = try metric(fields["txcost"])
      row.cost = try metric(fields["cost"])
      row.roundTrip = fields["rtt"].flatMap { Double($0) }.map { .microseconds(Int64(($0 * 1000).rounded())) }
      row.roundTripCost = try metric(fields["rttcost"])
      return TableChange(kind, .neighbour(row))
    case "xroute":
      let prefix = try #require(fields["prefix"].flatMap { IPPrefix($0) })
      return TableChange(kind, .xroute(XrouteRow(prefix: prefix, metric: try metric(fields["metric"]))))
    default:
      let octets = try #require(fields["id"]).split(separator: ":").compactMap { UInt64($0, radix: 16) }
      let source = try #require(fields["from"].flatMap { IPPrefix($0) })
      let via = RouteRow.NextHop(
        publicKey: key, number: 0, address: fields["via"].flatMap { IPv6Address($0) })
      let isInstalled = fields["installed"] == "yes"
      let route = RouteRow(
        prefix: try #require(fields["prefix"].flatMap { IPPrefix($0) }),
        source: source.isDefault ? nil : source,
        via: via, metric: try metric(fields["metric"]), referenceMetric: try metric(fields["refmetric"]),
        routerID: RouterID(octets.reduce(0) { $0 << 8 | $1 }), seqno: 1, isFeasible: true,
        verdict: isInstalled ? .selected : .unseen)
      return TableChange(kind, .route(route))
    }
  }

  /// A line with another name for the row.
  private func anonymous(_ line: String) -> String {
    var words = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    if words[1] == "neighbour" || words[1] == "route" { words[2] = "ID" }
    return words.joined(separator: " ")
  }

  @Test func everyLineIsWhatBabeldWrites() throws {
    let key = try #require(PublicKey(hex: String(repeating: "07", count: 32)))
    let lines = try recording().drop { $0 != "ok" }.dropFirst()
    #expect(lines.count > 12)
    for line in lines {
      let ours = BabeldProtocol.line(try change(line, key: key), interface: "sv0")
      #expect(anonymous(String(ours.dropLast())) == anonymous(line))
    }
  }

  @Test func theGreetingIsWhatBabeldWrites() throws {
    let recording = try recording().prefix { $0 != "ok" }
    let words = recording.map { String($0.split(separator: " ").last ?? "") }
    let greeting = BabeldProtocol.greeting(version: words[1], host: words[2], routerID: words[3])
    #expect(greeting == recording.joined(separator: "\n") + "\nok\n")
  }

  @Test func anInterfaceThatIsDownHasNoAddresses() {
    let row = InterfaceRow(isUp: false, linkLocal: IPv6Address("fe80::1"), ipv4: nil)
    #expect(
      BabeldProtocol.line(TableChange(.change, .interface(row)), interface: "a0")
        == "change interface a0 up false\n")
  }

  @Test func rowsKeepTheirNamesAndNoTwoHaveTheSame() throws {
    let key = try #require(PublicKey(hex: String(repeating: "07", count: 32)))
    func name(_ prefix: String, _ neighbour: UInt32, from source: String? = nil) throws -> String {
      let row = RouteRow(
        prefix: try #require(IPPrefix(prefix)), source: source.flatMap { IPPrefix($0) },
        via: RouteRow.NextHop(publicKey: key, number: neighbour, address: nil), metric: 1, referenceMetric: 0,
        routerID: RouterID(1), seqno: 1, isFeasible: true, verdict: .selected)
      return String(
        BabeldProtocol.line(TableChange(.add, .route(row)), interface: "a0").split(separator: " ")[2])
    }
    let names = [
      try name("10.0.0.0/8", 0), try name("10.0.0.0/8", 1), try name("10.0.0.0/9", 0), try name("::/0", 0),
      try name("0.0.0.0/0", 0), try name("::/0", 0, from: "fd00::/8"), try name("fd00::/8", 0),
    ]
    #expect(Set(names).count == names.count)
    #expect(try name("10.0.0.0/8", 0) == names[0])
  }

  /// As babeld 1.12.1 answers: case matters, blanks do not.
  @Test(
    arguments: [
      ("dump", .dump), ("  dump  ", .dump), ("monitor\r", .monitor), ("unmonitor", .unmonitor),
      ("quit", .quit),
      ("", .nothing), ("# x", .nothing), ("DUMP", .unknown), ("dump extra", .unknown), ("\"dump\"", .unknown),
      ("bogus", .unknown), ("interface eth7", .unknown), ("dumpß", .unknown),
    ] as [(String, BabeldProtocol.Command)])
  func commandsAreReadAsBabeldReadsThem(line: String, command: BabeldProtocol.Command) {
    #expect(BabeldProtocol.Command(line) == command)
  }

  @Test(arguments: [1, 2, 3, 7, 1000]) func linesAreFoundInAnyPieces(size: Int) throws {
    let bytes = Array("monitor\n\ndump\nqu".utf8)
    var frames = LineFrames()
    var found: [String] = []
    for start in stride(from: 0, to: bytes.count, by: size) {
      try frames.append(bytes[start..<min(start + size, bytes.count)])
      while let line = frames.next() { found.append(line) }
    }
    #expect(found == ["monitor", "", "dump"])
  }

  @Test func aLineHasALimit() throws {
    var frames = LineFrames()
    try frames.append([UInt8](repeating: 0x61, count: LineFrames.limit + 1))
    #expect(frames.next() == nil)
    #expect(throws: UAPIError.self) { try frames.append([0x0A]) }
  }
}
