import Babel
import Foundation
import Net
import Noise
import Testing

@testable import Mesh

/// Babel's tables for people and for programs.
@Suite struct RoutingTextTests {
  private let key = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="

  private func publicKey() throws -> PublicKey { try #require(PublicKey(base64: key)) }

  private func route(_ prefix: String, _ verdict: RouteVerdict, metric: UInt16, held: Bool = false) throws
    -> RouteRow
  {
    let via = RouteRow.NextHop(publicKey: try publicKey(), number: 3, address: IPv6Address("fe80::2"))
    return RouteRow(
      prefix: try #require(IPPrefix(prefix)), via: held ? nil : via, metric: metric, referenceMetric: 7,
      routerID: held ? nil : RouterID(1), seqno: 9, isFeasible: true, verdict: verdict)
  }

  private func object(_ json: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
  }

  @Test func routesAreOnePerLine() throws {
    let rows = [
      try route("10.0.0.1/32", .selected, metric: 96),
      try route("10.0.0.1/32", .worse(by: Metric(12)), metric: 108),
      try route("fd00:1:2:3::/64", .held, metric: 65535, held: true),
    ]
    #expect(
      rows.map { RoutingText.line(.route($0), width: 15) }.joined() == """
        10.0.0.1/32     metric 96 refmetric 7 id 00:00:00:00:00:00:00:01 seqno 9 via \(key) (installed)
        10.0.0.1/32     metric 108 refmetric 7 id 00:00:00:00:00:00:00:01 seqno 9 via \(key) (worse by 12)
        fd00:1:2:3::/64 (unreachable, held)

        """)
    #expect(
      JSON.array([.object(RoutingJSON.members(of: rows[1]))]).text == """
        [
          {
            "prefix": "10.0.0.1/32",
            "source": null,
            "state": "alternative",
            "via": "\(key)",
            "address": "fe80::2",
            "metric": 108,
            "referenceMetric": 7,
            "feasible": true,
            "routerID": "00:00:00:00:00:00:00:01",
            "seqno": 9,
            "verdict": {
              "name": "worse",
              "by": 12
            }
          }
        ]

        """)
  }

  @Test(
    arguments: [
      (.worse(by: .zero), "as good as the route in use"), (.linkDown, "link down"),
      (
        .unfeasible(seqno: Seqno(8), distance: Metric(5)),
        "unfeasible: needs a metric below 5 at seqno 8, or a newer seqno"
      ),
      (
        .unproven(smoothed: Metric(200), mustBeBelow: Metric(150)),
        "better, but not for long enough: smoothed metric 200 is not yet below 150"
      ),
    ] as [(RouteVerdict, String)])
  func everyVerdictHasWords(verdict: RouteVerdict, words: String) {
    #expect(RoutingText.words(for: verdict) == words)
  }

  @Test func neighboursAreOnePerLine() throws {
    var row = NeighbourRow(publicKey: try publicKey(), number: 0)
    #expect(
      RoutingText.neighbours([row])
        == "\(key) address unknown reach 0000 ureach 0000 rxcost 65535 txcost 65535 cost 65535 (no session)\n"
    )
    row.address = IPv6Address("fe80::2")
    (row.isMeshd, row.isUp, row.multicastReach, row.unicastReach) = (true, true, 0xFFFF, 0xF)
    (row.rxcost, row.txcost, row.cost) = (96, 97, 98)
    row.roundTrip = .microseconds(12_034)
    row.roundTripCost = 5
    row.activity = NeighbourRow.Activity(routeCount: 4, silence: .milliseconds(1490))
    #expect(
      RoutingText.neighbours([row])
        == "\(key) address fe80::2 reach ffff ureach 000f rxcost 96 txcost 97 rtt 12.034 rttcost 5 cost 98 routes 4 "
        + "heard 1.4 s ago (meshd)\n")
    let json = RoutingJSON.neighbours([row])
    #expect(json.contains(#""rtt": 0.012,"#) && json.contains(#""heard": 1.490"#))
  }

  @Test func xroutesAreOnePerLine() throws {
    let rows = [
      XrouteRow(prefix: .defaultIPv4, source: IPPrefix("10.0.0.0/8"), metric: 0),
      XrouteRow(prefix: .defaultIPv6, metric: 5),
    ]
    #expect(
      rows.map { RoutingText.line(.xroute($0), width: 25) }.joined()
        == "0.0.0.0/0 from 10.0.0.0/8 metric 0\n::/0                      metric 5\n")
  }

  @Test func anExplanationTellsEverything() throws {
    let prefix = try #require(IPPrefix("10.0.0.0/8"))
    let time = Instant(nanoseconds: 10_000_000_000)
    var explanation = Explanation(
      address: .v4(IPv4Address(10, 0, 0, 1)), prefix: prefix, target: .peer(try publicKey()),
      basis: .selected,
      hold: nil, routes: [try route("10.0.0.0/8", .selected, metric: 96)],
      peers: [
        Explanation.Peer(
          publicKey: try publicKey(), endpoint: Endpoint("192.0.2.1:7"), hasSession: true, speaksBabel: true,
          isAnnouncing: true, isFiltered: false, refusal: nil)
      ],
      switches: [
        SwitchRecord(
          time: Instant(nanoseconds: 7_500_000_000), prefix: prefix, former: nil, current: try publicKey(),
          metric: 96, reason: .routing(.found))
      ], time: time)
    #expect(
      RoutingText.explanation(explanation) == """
        10.0.0.1
          prefix: 10.0.0.0/8
          goes: to \(key) at 192.0.2.1:7
          because: Babel's selected route

        routes:
          metric 96 refmetric 7 id 00:00:00:00:00:00:00:01 seqno 9 via \(key) (installed)

        as source:
          \(key): accepted; announces the prefix

        switches:
          2.5 s ago: from none to \(key) metric 96: route found

        """)
    let json = try object(RoutingJSON.explanation(explanation))
    #expect(json["peer"] as? String == key && json["endpoint"] as? String == "192.0.2.1:7")
    #expect((json["switches"] as? [[String: Any]])?.first?["age"] as? Double == 2.5)

    explanation.target = .unreachable
    explanation.basis = .held
    explanation.hold = Explanation.Hold(waiting: [try publicKey()], remaining: .milliseconds(3100))
    explanation.peers[0].refusal = .disallowedSource
    explanation.peers[0].isAnnouncing = false
    explanation.peers[0].isFiltered = true
    let text = RoutingText.explanation(explanation)
    #expect(
      text.contains(
        "because: the prefix was lost and is held for 3.1 s more, or until 1 neighbour acknowledge"))
    #expect(text.contains("\(key): dropped, disallowed source; may not announce the prefix\n"))
  }

  @Test func anEventIsOneLineInBothForms() throws {
    let events: [MonitorEvent] = [
      .started, .table(TableChange(.flush, .route(try route("::/0", .selected, metric: 1)))),
      .table(TableChange(.add, .neighbour(NeighbourRow(publicKey: try publicKey(), number: 0)))),
      .table(TableChange(.change, .xroute(XrouteRow(prefix: .defaultIPv4, metric: 0)))),
      .table(TableChange(.change, .interface(InterfaceRow(isUp: true, linkLocal: nil, ipv4: nil)))),
      .node(.handshakeRefused(from: try #require(Endpoint("192.0.2.1:7")), reason: "no such \"peer\"")),
      .node(.neighbourChanged(try publicKey(), isUp: false)), .node(.handshakeGaveUp(try publicKey())),
      .node(.endpointChanged(try publicKey(), try #require(Endpoint("192.0.2.1:7")), because: .race)),
      .node(.sessionEstablished(try publicKey(), endpoint: nil)),
      .node(.addressCollision(try publicKey(), try publicKey())),
      .node(
        .routeSwitched(
          SwitchRecord(
            time: .zero, prefix: .defaultIPv4, former: try publicKey(), current: nil, reason: .configuration))
      ),
    ]
    var names: [String] = []
    for event in events {
      let (text, json) = (
        event.text(at: 1_700_000_000_123_000_000), event.json(at: 1_700_000_000_123_000_000)
      )
      #expect(text.hasPrefix("2023-11-14T22:13:20.123Z ") && text.filter { $0 == "\n" }.count == 1)
      #expect(json.filter { $0 == "\n" }.count == 1 && json.hasSuffix("}\n"))
      let object = try object(json)
      #expect(object["time"] as? String == "2023-11-14T22:13:20.123Z")
      names.append(try #require(object["event"] as? String))
    }
    #expect(
      names == [
        "monitoring", "route", "neighbour", "xroute", "interface", "refused", "neighbour down", "gave up",
        "endpoint", "session", "collision", "switch",
      ])
    #expect(
      events[11].text(at: 0)
        == "1970-01-01T00:00:00.000Z switch 0.0.0.0/0 from \(key) metric 65535 to none: owner changed\n")
  }

  @Test(
    arguments: [
      (951_782_400, "2000-02-29T00:00:00.000Z"), (4_107_542_399, "2100-02-28T23:59:59.000Z"),
      (4_107_542_400, "2100-03-01T00:00:00.000Z"), (1_735_689_599, "2024-12-31T23:59:59.000Z"),
      (-5, "1970-01-01T00:00:00.000Z"),
    ] as [(Int64, String)])
  func theCalendarIsRight(seconds: Int64, text: String) {
    #expect(UTC(nanoseconds: seconds * 1_000_000_000).description == text)
  }
}
