import Noise

/// A batch of packets of one size under one key, as a lane seals and opens them.
struct SealedPackets: ~Copyable {
  private var aead: AEAD
  private let key = SymmetricKey([UInt8](repeating: 1, count: 32).span.bytes, in: SecretArena())
  private var memory: [UInt8]
  private var seals: [AEAD.Job] = []
  private var opens: [AEAD.Job] = []

  init(count: Int, size: Int, _ backend: AEAD.Backend) {
    aead = AEAD(backend: backend)
    let stride = size + AEAD.tagSize
    // Plaintext, ciphertext, and what is opened: not in place, so that every iteration finds the same input.
    memory = [UInt8](repeating: 2, count: 3 * count * stride)
    for slot in 0..<count {
      let plain = slot * stride
      let sealed = (count + slot) * stride
      let opened = (2 * count + slot) * stride
      seals.append(.init(source: plain, destination: sealed, length: size, counter: UInt64(slot)))
      opens.append(.init(source: sealed, destination: opened, length: size, counter: UInt64(slot)))
    }
  }

  mutating func seal() {
    memory.withUnsafeMutableBytes { memory in
      guard let base = memory.baseAddress else { return }
      seals.withUnsafeMutableBufferPointer { aead.seal($0, in: base, key: key) }
    }
  }

  /// Opens what `seal` left.
  mutating func open() {
    memory.withUnsafeMutableBytes { memory in
      guard let base = memory.baseAddress else { return }
      opens.withUnsafeMutableBufferPointer { aead.open($0, in: base, key: key) }
    }
    precondition(opens[0].authentic)
  }
}
