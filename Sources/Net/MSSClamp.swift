extension IPHeader {
  /// Whether the packet opens a TCP connection or answers that: only such segments tell how large others may be.
  ///
  /// An IPv6 packet with extension headers is none.
  @inlinable
  @inline(__always)
  public func opensConnection(_ packet: RawSpan) -> Bool {
    guard protocolNumber == 6, !isLaterFragment, totalLength >= headerLength + 20 else { return false }
    // SYN without RST.
    return packet.byte(headerLength + 13) & 0x06 == 0x02
  }
}

extension MutableRawSpan {
  /// Lowers the maximum segment size that a TCP segment offers to what goes into packets of `mtu` octets, and mends the
  /// checksum (RFC 9293 §3.7.1, RFC 1624).
  ///
  /// `header` is the packet's own, and `opensConnection` was asked. An offer is never raised nor made: a host that makes
  /// none takes 536 or 1220 octets. A checksum that was wrong stays so; an option list is followed as far as it is sound.
  @inline(never)
  @_lifetime(self: copy self)
  public mutating func clampMSS(_ header: IPHeader, mtu: Int) {
    let start = header.headerLength
    let limit = UInt16(clamping: mtu - (header.source.family == .v4 ? 40 : 60))
    let end = min(start + Int(bytes.byte(start + 12) >> 4) * 4, header.totalLength)
    var offset = start + 20
    while offset < end {
      let kind = bytes.byte(offset)
      guard kind != 0 else { return }
      guard kind != 1 else {
        offset += 1
        continue
      }
      guard offset + 2 <= end else { return }
      let length = Int(bytes.byte(offset + 1))
      guard length >= 2, offset + length <= end else { return }
      if kind == 2, length == 4 { lowerMSS(at: offset + 2, to: limit, segment: start) }
      offset += length
    }
  }

  @_lifetime(self: copy self)
  private mutating func lowerMSS(at offset: Int, to limit: UInt16, segment start: Int) {
    let old = bytes.big16(offset)
    guard old > limit, limit > 0 else { return }
    set(big16: limit, at: offset)
    // Across two words of the sum its octets count the other way round (RFC 1071 §2).
    let isAligned = (offset - start) % 2 == 0
    let checksum = Checksum.updated(
      bytes.big16(start + 16), from: isAligned ? old : old.byteSwapped,
      to: isAligned ? limit : limit.byteSwapped)
    set(big16: checksum, at: start + 16)
  }
}
