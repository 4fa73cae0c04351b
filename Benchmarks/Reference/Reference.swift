/// What every benchmark is compared with: work that no change to meshd can make faster or slower.
///
/// A pass stirs 512 words one after the other, so that it takes a microsecond or so and follows the processor's clock; the
/// compiler can neither shorten it nor do it in vectors.
public struct Reference {
  private var words = [UInt64](repeating: 0x9E37_79B9_7F4A_7C15, count: 512)

  /// Makes the buffer.
  public init() {}

  /// The time of one pass: the best of several, since whatever disturbs one only makes it longer.
  @inline(never)
  public mutating func picosecondsOfPass() -> Int {
    var best = Duration.seconds(1)
    for _ in 0..<16 {
      let start = ContinuousClock.now
      stir()
      best = min(best, start.duration(to: .now))
    }
    // Read the result, so that the work is not thrown away.
    precondition(words[0] != words[1])
    return best.picoseconds
  }

  /// A generator of random numbers (xorshift) that runs over the buffer.
  @inline(never)
  private mutating func stir() {
    var state = words[511] | 1
    for index in words.indices {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      words[index] &+= state
    }
  }
}
