internal import CLinux
internal import Glibc
internal import Net

/// Builds one netlink message: header, fixed part, attributes.
internal struct NetlinkRequest {
  private(set) var bytes: [UInt8] = []

  init<Part: BitwiseCopyable>(_ type: Int, flags: Int32, _ fixedPart: Part) {
    var header = nlmsghdr()
    header.nlmsg_type = UInt16(type)
    header.nlmsg_flags = UInt16(NLM_F_REQUEST | flags)
    append(header)
    append(fixedPart)
  }

  /// Sets what is known only when the message is sent: its number and its length.
  mutating func seal(sequence: UInt32) {
    while bytes.count % 4 != 0 { bytes.append(0) }
    set(UInt32(bytes.count), at: 0)
    set(sequence, at: 8)
  }

  mutating func attribute(_ type: Int, _ number: UInt32) {
    attribute(type, length: 4) { $0.append(number) }
  }

  mutating func attribute(_ type: Int, byte: UInt8) {
    attribute(type, length: 1) { $0.append(byte) }
  }

  mutating func attribute(_ type: Int, _ address: IPAddress) {
    var writer = ByteWriter(capacity: 16)
    writer.append(address)
    attribute(type, length: writer.count) { $0.bytes.append(contentsOf: writer.bytes) }
  }

  mutating func attribute(_ type: Int, nesting body: (inout NetlinkRequest) -> Void) {
    let start = bytes.count
    attribute(type, length: 0, body)
    let length = UInt16(bytes.count - start)
    unsafe withUnsafeBytes(of: length) { unsafe bytes.replaceSubrange(start..<start + 2, with: $0) }
  }

  private mutating func attribute(_ type: Int, length: Int, _ body: (inout NetlinkRequest) -> Void) {
    let headerLength = MemoryLayout<nlattr>.size
    append(nlattr(nla_len: UInt16(headerLength + length), nla_type: UInt16(type)))
    body(&self)
    while bytes.count % 4 != 0 { bytes.append(0) }
  }

  private mutating func append<Part: BitwiseCopyable>(_ part: Part) {
    unsafe withUnsafeBytes(of: part) { unsafe bytes.append(contentsOf: $0) }
  }

  private mutating func set(_ number: UInt32, at offset: Int) {
    unsafe withUnsafeBytes(of: number) { unsafe bytes.replaceSubrange(offset..<offset + 4, with: $0) }
  }
}
