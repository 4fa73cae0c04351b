import Net
import Tun

/// What the kernel says about a packet and the packet itself: it is rejected, or becomes packets that hold all of it.
func feedSuperPacket(_ input: RawSpan) {
  guard input.byteCount > VirtioHeader.size,
    let header = VirtioHeader(reading: input.extracting(0..<VirtioHeader.size))
  else { return }
  let packet = input.extracting(VirtioHeader.size...)
  guard let plan = Segmentation(header, of: packet) else { return }
  var total = 0
  for index in 0..<plan.count {
    var octets = [UInt8](repeating: 0, count: plan.length(index))
    octets.withUnsafeMutableBytes {
      var segment = $0.mutableBytes
      plan.write(index, of: packet, to: &segment)
    }
    precondition(header.content == .packet || IPHeader(reading: octets.span.bytes) != nil)
    total += octets.count
  }
  precondition(total >= packet.byteCount, "octets were lost")
}

/// Packets of two octets of length each, as peers sent them: none is lost in merging, and what is merged can be cut.
func feedMerge(_ input: RawSpan) {
  var batch = PacketBatch(bufferCount: 1, bufferCapacity: 64 << 10, slotsPerBuffer: 64)
  var offset = 0
  while input.byteCount - offset >= 2 {
    let length = min(Int(input.big16(offset)), input.byteCount - offset - 2)
    guard let slot = batch.append(length: length) else { break }
    var packet = batch.mutableBytes(slot)
    packet.copy(input.extracting(offset + 2..<offset + 2 + length), to: 0)
    batch[slot].disposition = .deliver
    offset += 2 + length
  }
  var coalescing = Coalescing(TunOffloads(checksums: true, segments: true, datagrams: true))
  coalescing.gather(&batch)
  var count = 0
  for index in 0..<coalescing.count {
    let group = coalescing[index]
    count += group.count
    guard group.count > 1 else { continue }
    var slot = group.first
    var octets = batch.bytes(slot).withUnsafeBytes { Array($0) }
    for _ in 1..<group.count {
      slot = coalescing.slot(after: slot)
      octets += batch.bytes(slot).withUnsafeBytes { $0[group.payloadOffset...] }
    }
    guard let plan = Segmentation(group.header, of: octets.span.bytes) else {
      preconditionFailure("a super-packet contradicts its header")
    }
    precondition(plan.count == group.count)
  }
  precondition(count == batch.count, "a packet was lost")
}
