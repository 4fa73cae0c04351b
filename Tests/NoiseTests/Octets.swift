import Net

@testable import Noise

// The macros of Swift Testing cannot capture spans, so these take arrays.

extension PrivateKey {
  convenience init?(_ octets: [UInt8]) { self.init(octets.bytes) }
}

extension PresharedKey {
  convenience init?(_ octets: [UInt8], in arena: SecretArena = SecretArena()) {
    self.init(octets.bytes, in: arena)
  }
}

extension PublicKey {
  init(_ octets: [UInt8]) { self.init(octets.bytes) }
}

extension Timestamp {
  init?(_ octets: [UInt8]) { self.init(octets.bytes) }
}

extension MAC {
  init(key: [UInt8], over message: [UInt8]) { self.init(key: key.bytes, over: message.bytes) }
  var array: [UInt8] { octets.array }
}

extension MessageType {
  init?(_ octets: [UInt8]) { self.init(octets.bytes) }
}

extension HandshakeInitiation {
  init?(_ octets: [UInt8]) { self.init(reading: octets.bytes) }
}

extension HandshakeResponse {
  init?(_ octets: [UInt8]) { self.init(reading: octets.bytes) }
}

extension CookieReply {
  init?(_ octets: [UInt8]) { self.init(reading: octets.bytes) }
}

extension DataHeader {
  init?(_ octets: [UInt8]) { self.init(reading: octets.bytes) }
}

extension Identity {
  func isAddressed(by octets: [UInt8]) -> Bool { isAddressed(by: octets.bytes) }
}

extension Secret {
  init(_ octets: [UInt8], in arena: SecretArena) { self.init(octets.bytes, in: arena) }
  var array: [UInt8] { bytes.octets }
}

extension InlineArray where Element == UInt8 {
  var array: [UInt8] { indices.map { self[$0] } }
}

extension BLAKE2s {
  static func digest(_ first: [UInt8], _ second: [UInt8] = []) -> [UInt8] {
    hash(first.bytes, second.bytes).array
  }
}
