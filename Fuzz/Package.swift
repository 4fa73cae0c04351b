// swift-tools-version: 6.2

import PackageDescription

/// Fuzz entries of every parser, apart from the daemon's own package so that nobody else builds them.
let package = Package(
  name: "Fuzz",
  dependencies: [.package(name: "meshd", path: "..")],
  targets: [
    .target(name: "CFuzzer"),
    .executableTarget(
      name: "fuzz",
      dependencies: [
        "CFuzzer",
        .product(name: "Net", package: "meshd"),
        .product(name: "Noise", package: "meshd"),
        .product(name: "Babel", package: "meshd"),
        .product(name: "Mesh", package: "meshd"),
        .product(name: "Tun", package: "meshd"),
      ],
      swiftSettings: [
        .enableUpcomingFeature("ExistentialAny"),
        .enableExperimentalFeature("Lifetimes"),
        .treatAllWarnings(as: .error),
      ]),
  ],
  swiftLanguageModes: [.v6]
)
