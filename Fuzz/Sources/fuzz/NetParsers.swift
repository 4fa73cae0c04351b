import Net

/// What the data plane does to a packet from a peer: read its header, change hop limit and ECN in place.
func feedIPHeader(_ input: RawSpan) {
  guard let header = IPHeader(reading: input) else { return }
  precondition(header.headerLength <= header.totalLength && header.totalLength <= input.byteCount)
  var packet = input.withUnsafeBytes { Array($0) }
  packet.withUnsafeMutableBytes { buffer in
    var span = buffer.mutableBytes
    span.decrementHopLimit()
    span.setECN(header.ecn ^ 3)
  }
  guard let changed = IPHeader(reading: packet.span.bytes) else {
    preconditionFailure("a packet in transit became unreadable")
  }
  precondition(changed.hopLimit == header.hopLimit &- 1 && changed.ecn == header.ecn ^ 3)
  precondition(changed.source == header.source && changed.destination == header.destination)
}

/// A segment that opens a connection: what it offers is lowered once, and the sum over the segment stays what it was.
func feedMSSClamp(_ input: RawSpan) {
  guard let header = IPHeader(reading: input), header.opensConnection(input) else { return }
  var packet = input.withUnsafeBytes { Array($0) }
  let sum = packet.sum(from: header.headerLength)
  for turn in 0..<2 {
    let before = packet
    packet.withUnsafeMutableBytes { buffer in
      var span = buffer.mutableBytes
      span.clampMSS(header, mtu: 1280)
    }
    precondition(turn == 0 || packet == before, "what was clamped is clamped again")
  }
  // 0 and 0xFFFF are one number.
  precondition(packet.sum(from: header.headerLength) % 0xFFFF == sum % 0xFFFF, "the checksum was not mended")
  precondition(
    packet.prefix(header.headerLength) == input.withUnsafeBytes { Array($0) }.prefix(header.headerLength))
}

extension [UInt8] {
  fileprivate func sum(from offset: Int) -> UInt16 {
    var sum = Checksum()
    sum.add(span.bytes.extracting(offset...))
    return sum.value
  }
}

/// Addresses, prefixes and endpoints as text: what can be read is printed so that it reads the same.
func feedAddress(_ input: RawSpan) {
  let text = input.text
  if let address = IPAddress(text) { precondition(IPAddress(address.description) == address) }
  if let prefix = IPPrefix(text) { precondition(IPPrefix(prefix.description) == prefix) }
  if let endpoint = Endpoint(text) { precondition(Endpoint(endpoint.description) == endpoint) }
}
