// swift-tools-version: 6.2

import PackageDescription

let settings: [SwiftSetting] = [.enableUpcomingFeature("InternalImportsByDefault")]

/// The hot paths of one module.
func benchmarks(of module: String, with others: [String] = []) -> Target {
  .executableTarget(
    name: "\(module)Benchmarks",
    dependencies: [.product(name: "Benchmark", package: "benchmark"), "Reference"]
      + ([module] + others).map { .product(name: $0, package: "meshd") },
    path: "Benchmarks/\(module)Benchmarks",
    plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")])
}

/// Apart from the daemon's own package, so that its users fetch nothing for benchmarks.
let package = Package(
  name: "Benchmarks",
  dependencies: [
    .package(name: "meshd", path: ".."),
    // Its default traits preload counters of allocations, from packages of their own. Without them such counts read 0.
    .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
  ],
  targets: [
    .target(
      name: "Reference", dependencies: [.product(name: "Benchmark", package: "benchmark")], path: "Reference",
      swiftSettings: settings),
    benchmarks(of: "Net"),
    benchmarks(of: "Noise", with: ["Net"]),
    benchmarks(of: "Babel", with: ["Net"]),
    benchmarks(of: "Mesh", with: ["Net", "Noise"]),
    benchmarks(of: "Tun", with: ["Net"]),
  ],
  swiftLanguageModes: [.v6]
)
