internal import CSodium

/// Thirty-two secret octets in a `SecretArena`; wiped when its owner ends.
///
/// It can be moved but never copied, so one secret is in one place. Two are compared with `==` in constant time.
@safe
struct Secret: ~Copyable, Sendable {
  private let arena: SecretArena
  // Written through `mutating` methods only, so threads that share a constant may read it.
  private nonisolated(unsafe) let memory: UnsafeMutableRawPointer

  /// Makes 32 zero octets.
  init(in arena: SecretArena) {
    self.arena = arena
    unsafe memory = arena.take()
  }

  /// Takes the first 32 octets of `bytes`, which must have them.
  init(_ bytes: RawSpan, in arena: SecretArena) {
    self.init(in: arena)
    assign(bytes)
  }

  deinit {
    unsafe arena.giveBack(memory)
  }

  /// The arena that others derived from this one go to.
  var home: SecretArena { arena }

  /// The 32 octets.
  var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      let span = unsafe RawSpan(_unsafeStart: memory, byteCount: SecretArena.slotSize)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// The 32 octets, to overwrite.
  var mutableBytes: MutableRawSpan {
    @_lifetime(&self)
    mutating get {
      let span = unsafe MutableRawSpan(_unsafeStart: memory, byteCount: SecretArena.slotSize)
      return unsafe _overrideLifetime(span, mutating: &self)
    }
  }

  /// The address of the 32 octets, for a C function; valid as long as the secret.
  @unsafe var pointer: UnsafePointer<UInt8> {
    unsafe UnsafePointer(memory.assumingMemoryBound(to: UInt8.self))
  }

  /// Overwrites the secret with the first 32 octets of `bytes`, which must have them.
  mutating func assign(_ bytes: RawSpan) {
    precondition(bytes.byteCount >= SecretArena.slotSize)
    unsafe bytes.withUnsafeBytes {
      // A span of 32 octets has an address.
      unsafe memory.copyMemory(from: $0.baseAddress.unsafelyUnwrapped, byteCount: SecretArena.slotSize)
    }
  }

  /// Whether all octets are zero, in constant time.
  var isZero: Bool { unsafe sodium_is_zero(pointer, SecretArena.slotSize) == 1 }

  static func == (lhs: borrowing Secret, rhs: borrowing Secret) -> Bool {
    unsafe sodium_memcmp(lhs.memory, rhs.memory, SecretArena.slotSize) == 0
  }
}
