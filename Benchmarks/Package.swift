// swift-tools-version: 6.2

import PackageDescription

/// Benchmarks of the hot paths, apart from the daemon's own package so that its users fetch nothing for them.
let package = Package(
  name: "Benchmarks",
  dependencies: [
    .package(name: "meshd", path: ".."),
    // The default traits bring in jemalloc.
    .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
  ],
  targets: [
    .executableTarget(
      name: "NetBenchmarks",
      dependencies: [
        .product(name: "Benchmark", package: "benchmark"),
        .product(name: "Net", package: "meshd"),
      ],
      path: "Benchmarks/NetBenchmarks",
      plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")])
  ],
  swiftLanguageModes: [.v6]
)
