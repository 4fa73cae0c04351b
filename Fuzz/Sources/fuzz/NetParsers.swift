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

/// Addresses, prefixes and endpoints as text: what can be read is printed so that it reads the same.
func feedAddress(_ input: RawSpan) {
  let text = input.text
  if let address = IPAddress(text) { precondition(IPAddress(address.description) == address) }
  if let prefix = IPPrefix(text) { precondition(IPPrefix(prefix.description) == prefix) }
  if let endpoint = Endpoint(text) { precondition(Endpoint(endpoint.description) == endpoint) }
}
