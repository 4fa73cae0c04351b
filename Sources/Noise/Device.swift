/// What all tunnels of a device share while they make handshakes.
public struct Device: Sendable {
  /// The receiver indices in use.
  public var indices = ReceiverIndices()
  /// The source of the timestamps in our initiations.
  public var timestamps: TimestampClock

  /// Makes the shared part of a device that has no tunnels yet.
  public init(timestamps: TimestampClock) {
    self.timestamps = timestamps
  }
}
