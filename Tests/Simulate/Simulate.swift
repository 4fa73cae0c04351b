import Glibc
import Simulation

/// The command `simulate`: runs random scenarios on all processors and tells which seeds fail.
@main
enum Simulate {
  private static let usage = """
    Usage: simulate SEED…        a seed is a number, or a range as in 0-9999

    A seed alone tells all about its scenario.

    """

  static func main() async {
    guard let ranges = ranges(CommandLine.arguments.dropFirst()), !ranges.isEmpty else {
      print(usage, terminator: "")
      exit(2)
    }
    let seeds = ranges.joined()
    var summary = Summary()
    await withTaskGroup { group in
      var next = seeds.makeIterator()
      for _ in 0..<max(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 1) {
        guard let seed = next.next() else { break }
        group.addTask { Outcome(of: seed) }
      }
      for await outcome in group {
        summary.add(outcome)
        if seeds.count == 1 || !outcome.failures.isEmpty { outcome.report(inFull: seeds.count == 1) }
        if let seed = next.next() { group.addTask { Outcome(of: seed) } }
      }
    }
    summary.report()
    exit(summary.failed.isEmpty ? 0 : 1)
  }

  private static func ranges(_ words: some Sequence<String>) -> [ClosedRange<UInt64>]? {
    var ranges: [ClosedRange<UInt64>] = []
    for word in words {
      let ends = word.split(separator: "-").compactMap { UInt64($0) }
      guard let first = ends.first, let last = ends.last, ends.count <= 2, first <= last else { return nil }
      ranges.append(first...last)
    }
    return ranges
  }
}

/// What came of one scenario.
struct Outcome {
  let description: String
  let seed: UInt64
  let hosts: Int
  let events: Int
  let failures: [String]
  let log: [String]
  let recovery: Duration
  let rises: Int

  init(of seed: UInt64) {
    var scenario = Scenario(seed: seed)
    scenario.run()
    self.seed = seed
    description = scenario.description
    hosts = scenario.network.hosts.count
    events = scenario.network.trace.count
    failures = scenario.failures
    log = scenario.log
    recovery = scenario.slowestRecovery
    rises = scenario.mostRises
  }

  func report(inFull: Bool) {
    if inFull { for line in log { print("  \(line)") } }
    print(
      "\(description): \(failures.isEmpty ? "ok" : "FAILED"), recovered within \(recovery), \(rises) rises")
    for failure in failures.prefix(12) { print("  \(failure)") }
    fflush(nil)
  }
}

/// What came of all of them.
struct Summary {
  private var count = 0
  private var hosts = 0
  private var events = 0
  private var recovery: Duration = .zero
  private var rises = 0
  private(set) var failed: [UInt64] = []

  mutating func add(_ outcome: Outcome) {
    count += 1
    hosts += outcome.hosts
    events += outcome.events
    recovery = max(recovery, outcome.recovery)
    rises = max(rises, outcome.rises)
    if !outcome.failures.isEmpty { failed.append(outcome.seed) }
  }

  func report() {
    print(
      "\(count) scenarios, \(hosts) nodes, \(events) packets: \(failed.count) failed; "
        + "slowest recovery \(recovery), most rises of a metric to a lost node \(rises)")
    guard !failed.isEmpty else { return }
    print("failed seeds: \(failed.sorted().map(String.init).joined(separator: " "))")
  }
}
