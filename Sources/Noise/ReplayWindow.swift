/// The counters already seen under one key: a ring of 8192 bits (RFC 6479).
///
/// The ring is cleared a word at a time, so 8128 counters below the highest one are still told apart. It is asked after a
/// packet proved authentic, never before.
public struct ReplayWindow: ~Copyable, Sendable {
  /// How far below the highest accepted counter another may be.
  public static let size: UInt64 = UInt64(wordCount - 1) * 64

  private static let wordCount = 128
  private var words = InlineArray<128, UInt64>(repeating: 0)
  private var highest: UInt64 = 0

  /// Makes a window that has seen nothing.
  public init() {}

  /// Marks `counter` as seen; false if it was seen before, is too old, or is beyond the last usable one.
  public mutating func accept(_ counter: UInt64) -> Bool {
    guard counter < Limits.rejectAfterMessages else { return false }
    let word = counter >> 6
    if counter > highest {
      let steps = min(word - highest >> 6, UInt64(Self.wordCount))
      var cleared = highest >> 6
      for _ in 0..<steps {
        cleared += 1
        words[Self.slot(cleared)] = 0
      }
      highest = counter
    } else if highest - counter > Self.size {
      return false
    }
    let bit: UInt64 = 1 << (counter & 63)
    guard words[Self.slot(word)] & bit == 0 else { return false }
    words[Self.slot(word)] |= bit
    return true
  }

  private static func slot(_ word: UInt64) -> Int {
    Int(word & UInt64(wordCount - 1))
  }
}
