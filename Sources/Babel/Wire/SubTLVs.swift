internal import Net

/// The sub-TLVs of one TLV that we understand (RFC 8966 §4.4).
struct SubTLVs {
  /// Up to two 32-bit times; a Hello has the first, an IHU both.
  var timestamps: (first: UInt32, second: UInt32?)?
  /// The source prefix of a source-specific message.
  var source: IPPrefix?

  /// Reads what stands between the natural end of a TLV and its length; `nil` if the TLV must be ignored: the area is
  /// malformed, or holds something mandatory (RFC 8966 §4.4) that is unknown, wrong or not allowed here.
  init?(reading area: RawSpan, encoding: AddressEncoding, takesSource: Bool) {
    var offset = 0
    while offset < area.byteCount {
      let type = area.byte(offset)
      guard type != TLVType.pad1 else {
        offset += 1
        continue
      }
      guard offset + 2 <= area.byteCount else { return nil }
      let start = offset + 2
      let end = start + Int(area.byte(offset + 1))
      guard end <= area.byteCount else { return nil }
      offset = end
      switch type {
      case TLVType.timestamp where end - start >= 4:
        timestamps = (area.big32(start), end - start >= 8 ? area.big32(start + 4) : nil)
      case TLVType.sourcePrefix:
        guard takesSource, source == nil, let family = encoding.family,
          let prefix = Self.sourcePrefix(area.extracting(start..<end), family: family)
        else { return nil }
        source = prefix
      case 128...:
        return nil
      default:
        continue
      }
    }
  }

  // RFC 9079 §5: never compressed, never of length zero; octets that follow the prefix are ignored.
  private static func sourcePrefix(_ body: RawSpan, family: AddressFamily) -> IPPrefix? {
    guard body.byteCount >= 1 else { return nil }
    let length = Int(body.byte(0))
    let octets = (length + 7) / 8
    guard length > 0, length <= family.bitWidth, body.byteCount >= 1 + octets else { return nil }
    var bits: UInt128 = 0
    for index in 0..<octets { bits |= UInt128(body.byte(1 + index)) << UInt128(120 - 8 * index) }
    return IPPrefix(bits.address(family), length: length)
  }
}
