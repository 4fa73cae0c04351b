internal import CLinux
internal import Glibc
internal import Net

/// Walks the messages of one netlink datagram (netlink(7)).
///
/// Total: whatever the bytes are, it ends and stays inside.
public struct NetlinkReader: ~Escapable {
  private let span: RawSpan
  private var offset = 0

  /// Starts at the first message.
  @_lifetime(copy span)
  public init(_ span: RawSpan) {
    self.span = span
  }

  /// What the next message says; `nil` at the end, and at a message that does not fit.
  @_lifetime(self: copy self)
  public mutating func next() -> NetlinkMessage? {
    let headerLength = MemoryLayout<nlmsghdr>.size
    guard span.byteCount - offset >= headerLength else { return nil }
    let header = unsafe span.unsafeLoadUnaligned(fromByteOffset: offset, as: nlmsghdr.self)
    let length = Int(header.nlmsg_len)
    guard length >= headerLength, length <= span.byteCount - offset else { return nil }
    let payload = span.extracting(offset + headerLength..<offset + length)
    offset += min((length + 3) & ~3, span.byteCount - offset)
    return NetlinkMessage(
      sequence: header.nlmsg_seq,
      isInterrupted: Int32(header.nlmsg_flags) & NLM_F_DUMP_INTR != 0,
      content: NetlinkMessage.Content(type: Int(header.nlmsg_type), flags: Int32(header.nlmsg_flags), payload)
    )
  }
}

/// Walks netlink attributes: type, length and data, aligned to four octets.
///
/// Total, as `NetlinkReader`.
internal struct AttributeReader: ~Escapable {
  private let span: RawSpan
  private var offset: Int

  /// Starts behind a fixed part of `start` octets.
  @_lifetime(copy span)
  init(_ span: RawSpan, after start: Int) {
    self.span = span
    offset = min((start + 3) & ~3, span.byteCount)
  }

  /// The next attribute's type and where its data lies; `nil` at the end.
  @_lifetime(self: copy self)
  mutating func next() -> (type: Int, range: Range<Int>)? {
    let headerLength = MemoryLayout<nlattr>.size
    guard span.byteCount - offset >= headerLength else { return nil }
    let header = unsafe span.unsafeLoadUnaligned(fromByteOffset: offset, as: nlattr.self)
    let length = Int(header.nla_len)
    guard length >= headerLength, length <= span.byteCount - offset else { return nil }
    let range = offset + headerLength..<offset + length
    offset += min((length + 3) & ~3, span.byteCount - offset)
    return (Int(header.nla_type & 0x3FFF), range)
  }
}

extension RawSpan {
  /// The fixed part at the start of a message; `nil` if the message is shorter.
  internal func fixedPart<Part: BitwiseCopyable>(_ type: Part.Type) -> Part? {
    guard byteCount >= MemoryLayout<Part>.size else { return nil }
    return unsafe unsafeLoadUnaligned(as: type)
  }

  /// A number in the machine's byte order that fills the attribute in `range`.
  internal func number<Number: FixedWidthInteger & BitwiseCopyable>(_ range: Range<Int>, as type: Number.Type)
    -> Number?
  {
    guard range.count == MemoryLayout<Number>.size else { return nil }
    return unsafe unsafeLoadUnaligned(fromByteOffset: range.lowerBound, as: type)
  }

  /// An address that fills the attribute in `range`.
  internal func address(_ range: Range<Int>) -> IPAddress? {
    switch range.count {
    case 4: .v4(IPv4Address(bits: big32(range.lowerBound)))
    case 16: .v6(IPv6Address(high: big64(range.lowerBound), low: big64(range.lowerBound + 8)))
    default: nil
    }
  }

  /// A text in the attribute in `range`, up to its first zero octet.
  internal func text(_ range: Range<Int>) -> String {
    var octets: [UInt8] = []
    for offset in range {
      guard byte(offset) != 0 else { break }
      octets.append(byte(offset))
    }
    return String(decoding: octets, as: UTF8.self)
  }
}
