internal import CLinux
internal import Glibc
internal import Net
internal import SystemPackage

/// What travels beside a datagram: our own address and interface, the traffic class, and the segment size of a train.
internal struct ControlMessage {
  var local: IPAddress?
  var interface: UInt32 = 0
  /// DSCP and ECN.
  var trafficClass: UInt8 = 0
  /// Octets of each datagram of a train but the last; `nil` for a single datagram.
  var segmentSize: Int?
}

// The layout of `struct cmsghdr`: length, level and type, then data, each aligned to a word (cmsg(3)). The macros that
// walk it are not importable, and spans check what they do not.
extension ControlMessage {
  /// Room for all messages of one datagram or train.
  static let capacity = 128

  private static let word = MemoryLayout<Int>.size
  private static let headerLength = MemoryLayout<cmsghdr>.size

  private static func aligned(_ length: Int) -> Int { (length + word - 1) & ~(word - 1) }

  /// Reads what the kernel delivered; unknown messages are skipped, a broken one ends the reading.
  init(reading span: RawSpan) {
    Self.walk(span) { take($0, $1, $2) }
  }

  /// Calls `body` with the level, the type and the data of each message.
  @inline(__always)
  fileprivate static func walk(_ span: RawSpan, _ body: (Int32, Int32, RawSpan) -> Void) {
    var offset = 0
    while span.byteCount - offset >= headerLength {
      let length = Int(clamping: unsafe span.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt.self))
      guard length >= headerLength, length <= span.byteCount - offset else { return }
      let level = unsafe span.unsafeLoadUnaligned(fromByteOffset: offset + word, as: Int32.self)
      let type = unsafe span.unsafeLoadUnaligned(fromByteOffset: offset + word + 4, as: Int32.self)
      body(level, type, span.extracting(offset + headerLength..<offset + length))
      offset += min(aligned(length), span.byteCount - offset)
    }
  }

  private mutating func take(_ level: Int32, _ type: Int32, _ data: RawSpan) {
    switch (level, type) {
    case (Int32(IPPROTO_IP), IP_PKTINFO) where data.byteCount >= 12:
      interface = unsafe data.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt32.self)
      // `ipi_spec_dst`: the address to answer from, also for a packet to a broadcast address.
      local = .v4(IPv4Address(bits: data.big32(4)))
    case (Int32(IPPROTO_IPV6), IPV6_PKTINFO) where data.byteCount >= 20:
      let address = IPv6Address(high: data.big64(0), low: data.big64(8))
      local = address.isMulticast ? nil : .v6(address)
      interface = unsafe data.unsafeLoadUnaligned(fromByteOffset: 16, as: UInt32.self)
    case (Int32(IPPROTO_IP), IP_TOS) where data.byteCount >= 1:
      trafficClass = data.byte(0)
    case (Int32(IPPROTO_IPV6), IPV6_TCLASS) where data.byteCount >= 4:
      trafficClass = UInt8(
        truncatingIfNeeded: unsafe data.unsafeLoadUnaligned(fromByteOffset: 0, as: Int32.self))
    case (Int32(IPPROTO_UDP), Int32(CLINUX_UDP_GRO)) where data.byteCount >= 4:
      let size = Int(unsafe data.unsafeLoadUnaligned(fromByteOffset: 0, as: Int32.self))
      segmentSize = size > 0 ? size : nil
    default:
      break
    }
  }

  /// Writes the messages for a datagram along `path`, or for a train of datagrams of `segmentSize` octets; returns how
  /// many octets they take.
  ///
  /// Our address is named, and our interface if the path has one: that overrides the routing table, and IPv4 takes every
  /// host for a neighbour on a link that has no route to it.
  static func write(
    along path: Path, trafficClass: UInt8, segmentSize: Int? = nil, into room: inout MutableRawSpan
  ) -> Int {
    var offset = 0
    if let segmentSize {
      header(&room, &offset, Int32(IPPROTO_UDP), Int32(CLINUX_UDP_SEGMENT), 2)
      room.storeBytes(of: UInt16(segmentSize), toByteOffset: offset, as: UInt16.self)
      offset += aligned(2)
    }
    switch (path.remote.address, path.local) {
    case (.v4, .v4(let local)):
      header(&room, &offset, Int32(IPPROTO_IP), IP_PKTINFO, 12)
      room.storeBytes(of: path.interface, toByteOffset: offset, as: UInt32.self)
      room.set(big32: local.bits, at: offset + 4)
      room.set(big32: 0, at: offset + 8)
      offset += aligned(12)
    case (.v6, .v6(let local)):
      header(&room, &offset, Int32(IPPROTO_IPV6), IPV6_PKTINFO, 20)
      room.set(big64: local.high, at: offset)
      room.set(big64: local.low, at: offset + 8)
      room.storeBytes(of: path.interface, toByteOffset: offset + 16, as: UInt32.self)
      offset += aligned(20)
    default:
      break
    }
    guard trafficClass != 0 else { return offset }
    switch path.remote.address {
    case .v4: header(&room, &offset, Int32(IPPROTO_IP), IP_TOS, 4)
    case .v6: header(&room, &offset, Int32(IPPROTO_IPV6), IPV6_TCLASS, 4)
    }
    room.storeBytes(of: Int32(trafficClass), toByteOffset: offset, as: Int32.self)
    return offset + aligned(4)
  }

  private static func header(
    _ room: inout MutableRawSpan, _ offset: inout Int, _ level: Int32, _ type: Int32, _ length: Int
  ) {
    room.storeBytes(of: UInt(headerLength + length), toByteOffset: offset, as: UInt.self)
    room.storeBytes(of: level, toByteOffset: offset + word, as: Int32.self)
    room.storeBytes(of: type, toByteOffset: offset + word + 4, as: Int32.self)
    offset += headerLength
  }
}

extension DatagramError {
  /// Reads what the kernel delivered from a socket's error queue, about a datagram to `remote`; `nil` for anything but an
  /// error, and for those of the datagram's own form, which say nothing about its way.
  internal init?(reading span: RawSpan, remote: Endpoint) {
    var error: DatagramError?
    ControlMessage.walk(span) { level, type, data in
      switch (level, type) {
      case (Int32(IPPROTO_IP), IP_RECVERR), (Int32(IPPROTO_IPV6), IPV6_RECVERR):
        error = DatagramError(extendedError: data, remote: remote)
      default: break
      }
    }
    guard let error else { return nil }
    self = error
  }

  /// Reads `struct sock_extended_err` (number, origin, type, code, padding, information, data) and the address behind it.
  private init?(extendedError data: RawSpan, remote: Endpoint) {
    let length = MemoryLayout<sock_extended_err>.size
    guard data.byteCount >= length else { return nil }
    let number = unsafe data.unsafeLoadUnaligned(fromByteOffset: 0, as: Int32.self)
    let kind: Kind
    switch number {
    case EMSGSIZE:
      kind = .tooBig(mtu: Int(unsafe data.unsafeLoadUnaligned(fromByteOffset: 8, as: UInt32.self)))
    case ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EACCES: kind = .unreachable(Errno(rawValue: number))
    default: return nil
    }
    var reporter: IPAddress?
    switch Int32(data.byte(4)) {
    case SO_EE_ORIGIN_LOCAL: break
    case SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6:
      guard let name = SocketAddress.read(data.extracting(length..<data.byteCount)) else { return nil }
      reporter = name.address
    default: return nil
    }
    self.init(remote: remote, kind: kind, reporter: reporter)
  }
}
