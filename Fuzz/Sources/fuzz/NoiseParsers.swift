import Net
import Noise

/// A datagram from anywhere: it has a type or none, and a data header is written as it was read.
func feedUDPMessage(_ input: RawSpan) {
  guard MessageType(input) == .data else { return }
  guard let header = DataHeader(reading: input) else {
    preconditionFailure("a data message without header")
  }
  var octets = [UInt8](repeating: 0, count: DataHeader.size)
  octets.withUnsafeMutableBytes { buffer in
    var span = buffer.mutableBytes
    header.write(to: &span)
  }
  precondition(input.withUnsafeBytes { $0.starts(with: octets) })
}
