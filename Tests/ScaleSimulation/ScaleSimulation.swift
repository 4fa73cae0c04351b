import Glibc
import Net

/// The command `scale-simulation`: what a large network of speakers sends and keeps, in virtual time.
///
/// Figures are per node. Nothing is random but by the seed.
@main
enum ScaleSimulation {
  private static let usage = "Usage: scale-simulation [NODES [DEGREE [SETTLE [WINDOW [SEED]]]]]\n"

  static func main() {
    let words = CommandLine.arguments.dropFirst().compactMap { Int($0) }
    guard words.count == CommandLine.arguments.count - 1 else {
      print(usage, terminator: "")
      exit(1)
    }
    func word(_ index: Int, _ standard: Int) -> Int { index < words.count ? words[index] : standard }
    let count = word(0, 1000)
    let settle = Duration.seconds(word(2, 60))
    let window = Duration.seconds(word(3, 120))
    let delay = Duration.milliseconds(20)
    let memoryBefore = residentOctets()
    var network = SpeakerNetwork(
      count: count, degree: word(1, 8), delay: delay, seed: UInt64(word(4, 1)))
    let start = network.now

    var clock = Stopwatch()
    network.run(until: start.advanced(by: .seconds(60))) { $0.missingCount > 0 }
    let convergence = start.duration(to: network.now)
    print("cold start: \(network.missingCount == 0 ? "complete" : "INCOMPLETE")")
    print("  after \(text(convergence / .seconds(1))) s, \(clock.lap())")
    report(network, over: convergence)
    network.run(until: start.advanced(by: settle))
    print("until \(settle): \(clock.lap())")
    report(network, over: settle)

    network.resetTraffic()
    network.run(until: network.now.advanced(by: window))
    print("steady state for \(window): \(clock.lap())")
    report(network, over: window)
    let resident = (residentOctets() - memoryBefore) / count
    print("  \(resident >> 10) KiB resident")

    network.resetTraffic()
    network.countsUpdates = true
    network.kill(0)
    network.run(until: network.now.advanced(by: .seconds(20)))
    print("20 s after one died: \(clock.lap())")
    report(network, over: .seconds(20))
    let updates = network.traffic.reduce(0) { $0 + $1.updates }
    print("  \(updates) updates in all, \(network.missingCount) routes missing")
  }

  private static func report(_ network: SpeakerNetwork, over span: Duration) {
    let seconds = span / .seconds(1)
    let count = Double(network.traffic.count)
    let octets = Double(network.traffic.reduce(0) { $0 + $1.octets }) / count
    let packets = Double(network.traffic.reduce(0) { $0 + $1.packets }) / count
    let most = Double(network.traffic.map(\.octets).max() ?? 0)
    print(
      "  \(text(octets / 1e6)) MB, \(text(octets * 8 / 1000 / seconds)) kbit/s (the most \(text(most * 8 / 1000 / seconds))),",
      "\(text(packets / seconds)) packets/s")
    fflush(nil)
  }

  private static func text(_ value: Double) -> String {
    "\((value * 100).rounded() / 100)"
  }

  private static func residentOctets() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 128)
    guard fgets(&line, Int32(line.count), file) != nil else { return 0 }
    let words = String(decoding: line.map { UInt8(bitPattern: $0) }, as: UTF8.self).split(separator: " ")
    return (words.count > 1 ? Int(words[1]) ?? 0 : 0) * 4096
  }

  /// What the simulation itself takes.
  private struct Stopwatch {
    private var last = ContinuousClock.now

    mutating func lap() -> String {
      let now = ContinuousClock.now
      defer { last = now }
      return "computed in \(text(last.duration(to: now) / .seconds(1))) s"
    }
  }
}
