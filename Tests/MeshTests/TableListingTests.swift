import Babel
import Net
import Simulation
import Testing

@testable import Mesh

/// Tables that are told in pages.
@Suite struct TableListingTests {
  private func prefix(_ number: Int) -> IPPrefix {
    IPPrefix(host: .v4(IPv4Address(bits: 10 << 24 | UInt32(number))))
  }

  /// Two nodes, the first of which announces more than fits on three pages, and then knows that the other does.
  private func network(announcing count: Int = 3 * TableListing.pageSize + 5) -> SimulatedNetwork {
    let network = SimulationTests.chain(2)
    network.reconfigure(0) { configuration in
      configuration.interface.announce = (0..<count).map { Configuration.Announcement(prefix($0)) }
    }
    network.run(for: .seconds(5))
    return network
  }

  private func text(
    _ table: TableListing.Table, _ form: UAPIRequest.Form, _ host: Int, _ network: SimulatedNetwork
  )
    throws -> (text: String, pages: Int)
  {
    let daemon = try #require(network.hosts[host].daemon)
    let begun = daemon.node.listing(of: table, in: form, at: network.now)
    var listing = try #require(begun)
    var text = ""
    var pages = 0
    while let page = daemon.node.nextPage(of: &listing, at: network.now) {
      #expect(page.isEmpty || page.hasSuffix("\n"))
      text += page
      pages += 1
    }
    return (text, pages)
  }

  @Test(arguments: [TableListing.Table.routes(all: true), .routes(all: false)])
  func thePagesOfRoutesAreTheWholeTable(table: TableListing.Table) throws {
    let network = network()
    let daemon = try #require(network.hosts[1].daemon)
    let rows = daemon.node.routeRows(all: table == .routes(all: true), at: network.now)
    #expect(rows.count > 3 * TableListing.pageSize)
    let json = try text(table, .json, 1, network)
    #expect(json.text == JSON.array(rows.map { .object(RoutingJSON.members(of: $0)) }).text)
    #expect(json.pages == 4)
    let width = rows.map { $0.prefix.description.utf8.count }.max() ?? 0
    #expect(
      try text(table, .text, 1, network).text
        == rows.map { RoutingText.line(.route($0), width: width) }.joined())
  }

  @Test func thePagesOfXroutesAreTheWholeTable() throws {
    let network = network()
    let daemon = try #require(network.hosts[0].daemon)
    let rows = daemon.node.xrouteRows(at: network.now)
    #expect(rows.count > 3 * TableListing.pageSize)
    let json = try text(.xroutes, .json, 0, network).text
    #expect(json == JSON.array(rows.map { .object(RoutingJSON.members(of: $0)) }).text)
  }

  @Test func anEmptyTableIsAnEmptyArray() throws {
    let network = SimulationTests.chain(2)
    #expect(try text(.routes(all: true), .json, 0, network).text == "[]\n")
    #expect(try text(.routes(all: true), .text, 0, network).text.isEmpty)
  }

  @Test func whatGoesBetweenTwoPagesIsNotTold() throws {
    let network = network()
    let daemon = try #require(network.hosts[1].daemon)
    let begun = daemon.node.listing(of: .routes(all: false), in: .text, at: network.now)
    var listing = try #require(begun)
    var text = daemon.node.nextPage(of: &listing, at: network.now) ?? ""
    network.reconfigure(0) { configuration in
      configuration.interface.announce = (0..<5).map { Configuration.Announcement(prefix($0)) }
    }
    network.run(for: .seconds(60))
    while let page = daemon.node.nextPage(of: &listing, at: network.now) { text += page }
    let lines = text.split(separator: "\n")
    #expect(lines.contains { $0.hasPrefix("10.0.0.4/32 ") })
    #expect(!lines.contains { $0.hasPrefix("10.0.1.") })
  }

  @Test func linesOfPagesAreAnAnswer() throws {
    let answer =
      UAPIResponse.page("a\n") + UAPIResponse.page("") + UAPIResponse.page("b\nc\n") + UAPIResponse.text("")
      + UAPIResponse.success
    #expect(try UAPIAnswer(answer).textLines == ["a", "b", "c", ""])
    #expect(answer == UAPIResponse.text("a\nb\nc\n") + UAPIResponse.success)
  }
}
