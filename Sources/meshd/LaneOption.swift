import ArgumentParser

/// `--lanes`, as both ways to start a daemon have it.
struct LaneOption: ParsableArguments {
  /// The most lanes in each direction; the kernel takes 256 queues for a TUN device.
  static let limit = 64

  @Option(transform: Self.count) var lanes = DaemonOptions.defaultLanes

  private static func count(_ text: String) throws -> Int {
    guard let count = Int(text), (1...limit).contains(count) else {
      throw ValidationError("`\(text)' is not a number of lanes; it is from 1 to \(limit)")
    }
    return count
  }
}
