extension PublicKey {
  /// BLAKE2s-256 of `label`, the key and `suffix`: 32 octets that whoever knows the key can derive too.
  public func digest(label: String, suffix: [UInt8] = []) -> [UInt8] {
    let digest = BLAKE2s.hash(Array(label.utf8).bytes, (bytes + suffix).bytes)
    return digest.bytes.octets
  }
}
