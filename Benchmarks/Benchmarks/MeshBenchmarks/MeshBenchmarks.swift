import Benchmark
import Mesh
import Net
import Noise
import Reference

let benchmarks: @Sendable () -> Void = {
  Benchmark.defaultConfiguration = .short

  for count in [10, 1_000, 100_000] {
    Benchmark("Look up IPv4 among \(count) prefixes") { (benchmark, question: Question) in
      question.ask(benchmark)
    } setup: {
      Question(count) { .v4(IPv4Address(bits: UInt32(truncatingIfNeeded: $0.next()))) }
    }
    Benchmark("Look up IPv6 among \(count) prefixes") { (benchmark, question: Question) in
      question.ask(benchmark)
    } setup: {
      Question(count) { .v6(IPv6Address(high: 0xFD44 << 48 | $0.next() >> 32, low: $0.next())) }
    }
  }

  for size in [64, 1420] {
    Benchmark("Send \(Chain.packetCount) × \(size) octets to a peer") { benchmark in
      var chain = Chain(size: size)
      benchmark.measure { _ in chain.send() }
    }
    Benchmark("\(Chain.packetCount) × \(size) octets through a third node") { benchmark in
      var chain = Chain(size: size)
      benchmark.measure { _ in chain.cross() }
    }
  }

  Benchmark("Publish an endpoint of one of 10000 peers") {
    (benchmark, draft: ForwardingTable.Draft) in
    publish(benchmark, draft)
  } setup: {
    draft(peers: 10_000)
  }
}

/// A table, and random addresses of which half lie in one of its prefixes.
private struct Question {
  private var table = AllowedIPs()
  private var destinations: [IPAddress] = []

  init(_ count: Int, _ address: (inout SplitMix64) -> IPAddress) {
    var random = SplitMix64(seed: 1)
    for peer in 0..<UInt32(count) {
      let inside = address(&random)
      guard let prefix = IPPrefix(inside, length: inside.family.bitWidth - Int(random.next() % 16)) else {
        continue
      }
      table[prefix] = Route(owner: PeerID(rawValue: peer % 1_000))
      destinations.append(inside)
      destinations.append(address(&random))
    }
    // More than the processor learns the branches of, and few enough to stay in its cache whatever else runs.
    destinations = (0..<4096).compactMap { _ in destinations.randomElement(using: &random) }
  }

  func ask(_ benchmark: Benchmark) {
    let source = destinations[0]
    benchmark.measure { blackHole(table.target(for: destinations[$0 % destinations.count], from: source)) }
  }
}

/// Peers with an endpoint and a prefix of each family.
private func draft(peers: UInt32) -> ForwardingTable.Draft {
  var random = SplitMix64(seed: 1)
  var draft = ForwardingTable.Draft()
  for number in 0..<peers {
    let id = PeerID(rawValue: number)
    let octets = (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) }
    let key = PublicKey(octets.span.bytes)
    draft[id] = PeerEntry(publicKey: key, path: path(1), activity: PeerActivity())
    let route = Route(owner: id)
    draft.allowedIPs[IPPrefix(host: .v4(IPv4Address(bits: 10 << 24 | number)))] = route
    draft.allowedIPs[IPPrefix(host: .v6(IPv6Address(high: 0xFD44 << 48, low: UInt64(number))))] = route
  }
  return draft
}

/// Changes a peer's path, and publishes the table to a lane that uses the one before.
private func publish(_ benchmark: Benchmark, _ initial: ForwardingTable.Draft) {
  var draft = initial
  let published = Published(draft.freeze())
  var reader = published.reader()
  benchmark.measure { _ in
    let id = PeerID(rawValue: 5_000)
    guard let old = draft[id] else { return }
    draft[id] = PeerEntry(
      publicKey: old.publicKey, path: path(2), activity: old.activity)
    published.publish(draft.freeze())
    blackHole(reader.current())
  }
}

private func path(_ port: UInt16) -> Path {
  Path(remote: Endpoint(address: .v4(IPv4Address(bits: 0x0A63_0001)), port: port))
}
