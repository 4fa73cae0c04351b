internal import CSodium

/// ChaCha20-Poly1305 over batches of packets under one key, as transport messages use it (whitepaper §5.4.6).
///
/// One per thread, since a backend may own scratch memory; a batch allocates nothing. Both backends give the same octets.
public struct AEAD: ~Copyable {
  /// The library that does the work.
  public enum Backend: Sendable, CaseIterable {
    /// Intel's multi-buffer library: two to four times as fast, for x86-64 with AVX2 or better.
    case ipsecMB
    /// libsodium: everywhere.
    case sodium
  }

  /// One packet of a batch, as offsets from the base that the call names.
  @frozen
  public struct Job: Sendable, BitwiseCopyable {
    /// Where the plaintext (to seal) or ciphertext (to open) starts.
    public var source: Int
    /// Where the result goes: `source` itself to work in place, else memory that overlaps no job's source.
    public var destination: Int
    /// Octets of plaintext; the tag is not counted in either direction.
    public var length: Int
    /// The nonce: four zero octets, then this number little-endian.
    public var counter: UInt64
    /// Whether `open` found the tag right.
    public var authentic: Bool

    /// Makes a job; it works in place unless `destination` says otherwise.
    @inlinable
    public init(source: Int, destination: Int? = nil, length: Int, counter: UInt64) {
      self.source = source
      self.destination = destination ?? source
      self.length = length
      self.counter = counter
      authentic = false
    }
  }

  /// Octets of a tag.
  public static let tagSize = 16

  /// The backend in use.
  public let backend: Backend
  #if arch(x86_64)
  private let manager: IPSecMB?
  #endif

  /// Takes `backend`, or the best one for this processor; libsodium replaces one that the processor lacks.
  public init(backend: Backend? = nil) {
    _ = sodium_init()
    #if arch(x86_64)
    let manager = backend == .sodium ? nil : IPSecMB()
    self.backend = manager == nil ? .sodium : .ipsecMB
    self.manager = manager
    #else
    self.backend = .sodium
    #endif
  }

  /// Seals each job's plaintext; the tag goes behind the ciphertext, to `destination + length`.
  ///
  /// All memory that the jobs name must be valid from `base` on, with room for the tags.
  @unsafe
  public mutating func seal(
    _ jobs: UnsafeMutableBufferPointer<Job>, in base: UnsafeMutableRawPointer, key: borrowing SymmetricKey
  ) {
    let octets = unsafe base.assumingMemoryBound(to: UInt8.self)
    #if arch(x86_64)
    if let manager {
      unsafe manager.seal(jobs, in: octets, key: key.octets.pointer)
      return
    }
    #endif
    for index in jobs.indices {
      let job = unsafe jobs[index]
      unsafe transportNonce(job.counter).bytes.withOctets { nonce in
        _ = unsafe crypto_aead_chacha20poly1305_ietf_encrypt(
          octets + job.destination, nil, octets + job.source, UInt64(job.length), nil, 0, nil, nonce,
          key.octets.pointer)
      }
    }
  }

  /// Opens each job's ciphertext, whose tag lies at `source + length`, and sets `authentic`.
  ///
  /// What a job that is not authentic leaves at its destination is undefined; in place, the packet is destroyed.
  @unsafe
  public mutating func open(
    _ jobs: UnsafeMutableBufferPointer<Job>, in base: UnsafeMutableRawPointer, key: borrowing SymmetricKey
  ) {
    let octets = unsafe base.assumingMemoryBound(to: UInt8.self)
    #if arch(x86_64)
    if let manager {
      unsafe manager.open(jobs, in: octets, key: key.octets.pointer)
      return
    }
    #endif
    for index in jobs.indices {
      let job = unsafe jobs[index]
      unsafe jobs[index].authentic = transportNonce(job.counter).bytes.withOctets { nonce in
        unsafe crypto_aead_chacha20poly1305_ietf_decrypt(
          octets + job.destination, nil, nil, octets + job.source, UInt64(job.length + Self.tagSize), nil, 0,
          nonce, key.octets.pointer) == 0
      }
    }
  }
}
