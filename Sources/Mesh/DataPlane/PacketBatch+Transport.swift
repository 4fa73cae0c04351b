internal import Net
internal import Noise

extension PacketBatch {
  /// The AEAD job that seals packet `index` where it lies.
  internal func job(_ index: Int) -> AEAD.Job {
    let slot = self[index]
    return AEAD.Job(source: Int(slot.offset), length: Int(slot.length), counter: 0)
  }

  /// Lengthens packet `index` with zeros to a multiple of 16, but never beyond the MTU (whitepaper §5.4.6).
  internal mutating func pad(_ index: Int, mtu: Int) {
    let length = Int(self[index].length)
    let padded = Self.paddedLength(length, mtu: mtu)
    guard padded > length else { return }
    pad(index, to: padded)
  }

  /// Lengthens packet `index` with zeros to `padded` octets; there must be room behind it.
  internal mutating func pad(_ index: Int, to padded: Int) {
    let slot = self[index]
    let length = Int(slot.length)
    guard padded > length else { return }
    var padding = mutableBytes(at: Int(slot.offset) + length, count: padded - length)
    for offset in 0..<padded - length { padding.set(byte: 0, at: offset) }
    self[index].length = UInt32(padded)
  }

  /// The length of a plaintext with its padding.
  internal static func paddedLength(_ length: Int, mtu: Int) -> Int {
    max(length, min((length + 15) & ~15, mtu))
  }

  /// Adds an ICMP error about `packet`; `nil` if there is no room or none may be sent.
  internal mutating func append(_ error: ICMPError, about packet: RawSpan, from source: IPAddress) -> Int? {
    guard count < bufferCount else { return nil }
    let offset = bufferOffset(count)
    var output = mutableBytes(at: offset, count: ICMPError.maximumLength)
    guard let length = error.write(about: packet, from: source, to: &output) else { return nil }
    return append(offset: offset, length: length)
  }
}
