internal import CLinux
internal import Net

/// The virtio header in front of each packet of a device with `IFF_VNET_HDR`.
internal enum PacketHeader {
  /// The longest header that fits the headroom of a batch together with the data header of WireGuard.
  static let limit = PacketBatch.headroom - 16

  /// Writes the header of a packet that is complete: no offload, checksum done.
  static func clear(_ room: inout MutableRawSpan) {
    for offset in 0..<room.byteCount { room.set(byte: 0, at: offset) }
  }
}
