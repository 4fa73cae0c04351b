internal import Net

/// The virtio header in front of each packet of a device with `IFF_VNET_HDR` (virtio 1.2 §5.1.6): ten octets in the
/// machine's own byte order.
public struct VirtioHeader: Sendable, Equatable {
  /// What a packet is.
  public enum Content: Sendable, Equatable {
    /// One packet as the network knows it.
    case packet
    /// TCP segments over IPv4 as one, to be cut.
    case tcp4
    /// TCP segments over IPv6 as one, to be cut.
    case tcp6
    /// UDP datagrams as one, to be cut.
    case datagrams
  }

  /// Octets of the header; the kernel may be told to use more, which are zero.
  public static let size = 10
  /// More octets than this are no header that we know.
  static let limit = 48

  /// What the packet is.
  public var content = Content.packet
  /// Whether the first of the segments has CWR set.
  public var hasCongestionWindowReduced = false
  /// Whether the checksum field holds the sum of the pseudo-header alone, and the rest is still to be added.
  public var needsChecksum = false
  /// Octets of all headers; the kernel may mean more.
  public var headerLength: UInt16 = 0
  /// Octets of payload of each segment but the last.
  public var segmentSize: UInt16 = 0
  /// Where the checksum starts.
  public var checksumStart: UInt16 = 0
  /// Where its field is, behind the start.
  public var checksumOffset: UInt16 = 0

  /// The header of a packet that is complete.
  public init() {}

  /// Reads a header; `nil` if it is cut or asks for what nobody was offered.
  public init?(reading span: RawSpan) {
    guard span.byteCount >= Self.size else { return nil }
    needsChecksum = span.byte(0) & 1 != 0
    let type = span.byte(1)
    switch type & 0x7F {
    case 0: content = .packet
    case 1: content = .tcp4
    case 4: content = .tcp6
    case 5: content = .datagrams
    default: return nil
    }
    hasCongestionWindowReduced = type & 0x80 != 0
    guard !hasCongestionWindowReduced || content == .tcp4 || content == .tcp6 else { return nil }
    headerLength = span.native16(2)
    segmentSize = span.native16(4)
    checksumStart = span.native16(6)
    checksumOffset = span.native16(8)
  }

  /// Writes the header.
  public func write(to span: inout MutableRawSpan) {
    span.set(byte: needsChecksum ? 1 : 0, at: 0)
    let type: UInt8 =
      switch content {
      case .packet: 0
      case .tcp4: 1
      case .tcp6: 4
      case .datagrams: 5
      }
    span.set(byte: type | (hasCongestionWindowReduced ? 0x80 : 0), at: 1)
    span.storeBytes(of: headerLength, toByteOffset: 2, as: UInt16.self)
    span.storeBytes(of: segmentSize, toByteOffset: 4, as: UInt16.self)
    span.storeBytes(of: checksumStart, toByteOffset: 6, as: UInt16.self)
    span.storeBytes(of: checksumOffset, toByteOffset: 8, as: UInt16.self)
  }
}

extension RawSpan {
  fileprivate func native16(_ offset: Int) -> UInt16 {
    unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self)
  }
}
