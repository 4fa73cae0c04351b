internal import CSodium
internal import Synchronization

/// The slab that holds every short-lived secret of a device: keys, chaining keys, ephemerals, cookie secrets.
///
/// Memory comes in growing chunks from libsodium: locked where the system allows it, kept out of core dumps, with guard
/// pages around each chunk. A slot is wiped when its secret ends. Guarded pages for each secret of its own would fail at
/// 16 000 peers, so only the device's private key has them. Any thread may end a secret; the free list has a lock, which
/// handshakes take and packets never do.
public final class SecretArena: Sendable {
  /// Octets in a slot.
  static let slotSize = 32

  @safe
  private struct Chunk {
    nonisolated(unsafe) let memory: UnsafeMutableRawPointer
    let byteCount: Int
    let isGuarded: Bool
  }

  private struct Slots {
    var chunks: [Chunk] = []
    // Addresses; the capacity covers all slots, so giving one back allocates nothing.
    var free: [UInt] = []
    var count = 0
  }

  private let slots = Mutex(Slots())

  /// Makes an empty arena; memory is taken with the first secret.
  public init() {
    // Any thread, any number of times; it fails only where the kernel has no random numbers.
    _ = sodium_init()
  }

  deinit {
    slots.withLock { slots in
      for chunk in slots.chunks {
        guard chunk.isGuarded else {
          unsafe sodium_memzero(chunk.memory, chunk.byteCount)
          unsafe chunk.memory.deallocate()
          continue
        }
        unsafe sodium_free(chunk.memory)
      }
    }
  }

  /// Takes a slot of 32 zero octets.
  @unsafe
  func take() -> UnsafeMutableRawPointer {
    let address = slots.withLock { slots in
      if slots.free.isEmpty { Self.grow(&slots) }
      return slots.free.removeLast()
    }
    // Only addresses of slots are in the list.
    return unsafe UnsafeMutableRawPointer(bitPattern: address).unsafelyUnwrapped
  }

  /// Wipes a slot and keeps it for the next secret.
  @unsafe
  func giveBack(_ slot: UnsafeMutableRawPointer) {
    unsafe sodium_memzero(slot, Self.slotSize)
    let address = UInt(bitPattern: slot)
    slots.withLock { $0.free.append(address) }
  }

  private static func grow(_ slots: inout Slots) {
    let byteCount = 4096 << min(slots.chunks.count, 6)
    let guarded = unsafe sodium_malloc(byteCount)
    let memory = unsafe guarded ?? .allocate(byteCount: byteCount, alignment: 64)
    unsafe sodium_memzero(memory, byteCount)
    slots.chunks.append(unsafe Chunk(memory: memory, byteCount: byteCount, isGuarded: guarded != nil))
    slots.count += byteCount / slotSize
    slots.free.reserveCapacity(slots.count)
    let first = UInt(bitPattern: memory)
    slots.free += stride(from: byteCount - slotSize, through: 0, by: -slotSize).map { first + UInt($0) }
  }
}
