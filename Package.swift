// swift-tools-version: 6.2

import PackageDescription

/// Tests do without strict memory safety: the expansions of `#expect` cannot be marked `unsafe`.
let testSettings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableExperimentalFeature("Lifetimes"),
  .treatAllWarnings(as: .error),
]
let settings = [.strictMemorySafety()] + testSettings

let collections = "swift-collections"

let package = Package(
  name: "meshd",
  products: [
    .library(name: "Net", targets: ["Net"]),
    .library(name: "Noise", targets: ["Noise"]),
    .library(name: "Babel", targets: ["Babel"]),
    .library(name: "Mesh", targets: ["Mesh"]),
    .library(name: "Tun", targets: ["Tun"]),
    .executable(name: "meshd", targets: ["meshd"]),
    .executable(name: "crowd", targets: ["Crowd"]),
    .executable(name: "link-emulator", targets: ["LinkEmulator"]),
    .executable(name: "scale-simulation", targets: ["ScaleSimulation"]),
    .executable(name: "simulate", targets: ["Simulate"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
  ],
  targets: [
    .systemLibrary(name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
    .systemLibrary(name: "CBlake2", pkgConfig: "libb2", providers: [.apt(["libb2-dev"])]),
    .systemLibrary(name: "CIPSecMB", providers: [.apt(["libipsec-mb-dev"])]),
    .systemLibrary(name: "CCares", pkgConfig: "libcares", providers: [.apt(["libc-ares-dev"])]),
    .target(name: "CLinux"),

    .target(name: "Net", swiftSettings: settings),
    .target(
      name: "Noise",
      dependencies: [
        "Net", "CSodium", "CBlake2", .target(name: "CIPSecMB", condition: .when(platforms: [.linux])),
      ],
      swiftSettings: settings),
    .target(
      name: "Babel",
      dependencies: [
        "Net", .product(name: "HeapModule", package: collections),
        .product(name: "OrderedCollections", package: collections),
      ],
      swiftSettings: settings),
    .target(
      name: "Mesh",
      dependencies: [
        "Net", "Noise", "Babel",
        .product(name: "DequeModule", package: collections),
        .product(name: "OrderedCollections", package: collections),
      ],
      swiftSettings: settings),
    .target(
      name: "Tun",
      dependencies: ["Net", "CLinux", "CCares", .product(name: "SystemPackage", package: "swift-system")],
      swiftSettings: settings),
    .executableTarget(
      name: "meshd",
      dependencies: [
        "Net", "Noise", "Babel", "Mesh", "Tun",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: settings),

    .target(
      name: "Simulation", dependencies: ["Net", "Noise", "Babel", "Mesh"], path: "Tests/Simulation",
      swiftSettings: testSettings),
    .executableTarget(
      name: "ScaleSimulation", dependencies: ["Net", "Babel", "Simulation"], path: "Tests/ScaleSimulation",
      swiftSettings: testSettings),
    .executableTarget(
      name: "Simulate", dependencies: ["Simulation"], path: "Tests/Simulate", swiftSettings: testSettings),
    .executableTarget(
      name: "Crowd",
      dependencies: [
        "Simulation", "Net", "Mesh", "Tun", .product(name: "SystemPackage", package: "swift-system"),
      ],
      path: "Tests/Crowd", swiftSettings: testSettings),
    .target(name: "CAllocations", path: "Tests/CAllocations"),
    .target(
      name: "LinkEmulation",
      dependencies: ["Net", "Mesh", .product(name: "DequeModule", package: collections)],
      path: "Tests/LinkEmulation", swiftSettings: testSettings),
    .executableTarget(
      name: "LinkEmulator",
      dependencies: [
        "LinkEmulation", "Net", "Tun", "CLinux", .product(name: "SystemPackage", package: "swift-system"),
      ],
      path: "Tests/LinkEmulator", swiftSettings: testSettings),
    .testTarget(name: "NetTests", dependencies: ["Net"], swiftSettings: testSettings),
    .testTarget(
      name: "NoiseTests", dependencies: ["Net", "Noise"], swiftSettings: testSettings),
    .testTarget(
      name: "BabelTests", dependencies: ["Net", "Noise", "Babel"], swiftSettings: testSettings),
    .testTarget(
      name: "MeshTests", dependencies: ["Net", "Noise", "Babel", "Mesh", "Simulation", "CAllocations"],
      swiftSettings: testSettings),
    .testTarget(
      name: "TunTests", dependencies: ["Net", "Tun", "CLinux", "CAllocations"],
      swiftSettings: testSettings),
    .testTarget(
      name: "LinkEmulationTests", dependencies: ["Net", "LinkEmulation"], swiftSettings: testSettings),
  ],
  swiftLanguageModes: [.v6]
)
