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

  /// Draws 32 octets.
  init(random: inout some RandomNumberGenerator, in arena: SecretArena) {
    self.init(in: arena)
    for offset in stride(from: 0, to: SecretArena.slotSize, by: 8) {
      unsafe memory.storeBytes(of: random.next().littleEndian, toByteOffset: offset, as: UInt64.self)
    }
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

  /// Calls `body` with the 32 octets.
  func withBytes<Result>(_ body: (RawSpan) -> Result) -> Result {
    body(bytes)
  }

  /// The 32 octets, to overwrite.
  var mutableSpan: MutableSpan<UInt8> {
    @_lifetime(&self)
    mutating get {
      let octets = unsafe memory.assumingMemoryBound(to: UInt8.self)
      let span = unsafe MutableSpan(_unsafeStart: octets, count: SecretArena.slotSize)
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
    unsafe bytes.withOctets { unsafe memory.copyMemory(from: $0, byteCount: SecretArena.slotSize) }
  }

  /// Whether all octets are zero, in constant time.
  var isZero: Bool { unsafe sodium_is_zero(pointer, SecretArena.slotSize) == 1 }

  static func == (lhs: borrowing Secret, rhs: borrowing Secret) -> Bool {
    unsafe sodium_memcmp(lhs.memory, rhs.memory, SecretArena.slotSize) == 0
  }
}
