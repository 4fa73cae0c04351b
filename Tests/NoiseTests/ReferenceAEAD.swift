/// ChaCha20-Poly1305 as RFC 8439 spells it out: a witness that shares no code with the libraries.
enum ReferenceAEAD {
  /// RFC 8439 §2.8 without additional data: the ciphertext and its tag.
  static func seal(_ plaintext: [UInt8], key: [UInt8], counter: UInt64) -> [UInt8] {
    let nonce = [0, UInt32(truncatingIfNeeded: counter), UInt32(truncatingIfNeeded: counter >> 32)]
    let words = stride(from: 0, to: 32, by: 4).map { word(key[$0..<$0 + 4]) }
    var ciphertext: [UInt8] = []
    for start in stride(from: 0, to: plaintext.count, by: 64) {
      let stream = block(words, UInt32(start / 64 + 1), nonce)
      ciphertext += zip(plaintext[start..<min(start + 64, plaintext.count)], stream).map { $0 ^ $1 }
    }
    let padding = [UInt8](repeating: 0, count: -ciphertext.count & 15)
    let lengths = octets(0, 8) + octets(UInt128(ciphertext.count), 8)
    return ciphertext
      + authenticator(of: ciphertext + padding + lengths, key: Array(block(words, 0, nonce)[..<32]))
  }

  /// The block function of ChaCha20 (§2.3).
  private static func block(_ key: [UInt32], _ counter: UInt32, _ nonce: [UInt32]) -> [UInt8] {
    let start = [0x6170_7865, 0x3320_646E, 0x7962_2D32, 0x6B20_6574] + key + [counter] + nonce
    var state = start
    func quarterRound(_ a: Int, _ b: Int, _ c: Int, _ d: Int) {
      for (x, y, z, shift) in [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)] {
        state[x] &+= state[y]
        state[z] ^= state[x]
        state[z] = state[z] << UInt32(shift) | state[z] >> UInt32(32 - shift)
      }
    }
    for _ in 0..<10 {
      for column in 0..<4 { quarterRound(column, column + 4, column + 8, column + 12) }
      for row in 0..<4 {
        quarterRound(row, (row + 1) & 3 + 4, (row + 2) & 3 + 8, (row + 3) & 3 + 12)
      }
    }
    return zip(state, start).flatMap { octets(UInt128($0 &+ $1), 4) }
  }

  /// Poly1305 (§2.5) of whole blocks, in limbs of 26 bits.
  private static func authenticator(of message: [UInt8], key: [UInt8]) -> [UInt8] {
    let r = limbs(number(key[..<16]) & 0x0FFF_FFFC_0FFF_FFFC_0FFF_FFFC_0FFF_FFFF, highBit: 0)
    var sum = [UInt64](repeating: 0, count: 5)
    for start in stride(from: 0, to: message.count, by: 16) {
      let block = limbs(number(message[start..<start + 16]), highBit: 1)
      for index in 0..<5 { sum[index] += block[index] }
      var product = [UInt64](repeating: 0, count: 5)
      for i in 0..<5 {
        // 2^130 is 5.
        for j in 0..<5 { product[(i + j) % 5] += sum[i] * r[j] * (i + j < 5 ? 1 : 5) }
      }
      sum = carried(carried(product))
    }
    sum = carried(sum)
    // What is left may still be the prime 2^130 - 5 or a little more.
    if sum[1...].allSatisfy({ $0 == mask }), sum[0] >= mask - 4 { sum = [sum[0] - (mask - 4), 0, 0, 0, 0] }
    let low = sum.indices.reduce(UInt128(0)) { $0 | UInt128(sum[$1]) << UInt128(26 * $1) }
    return octets(low &+ number(key[16...]), 16)
  }

  private static let mask: UInt64 = 1 << 26 - 1

  private static func limbs(_ value: UInt128, highBit: UInt64) -> [UInt64] {
    var limbs = (0..<5).map { UInt64(truncatingIfNeeded: value >> UInt128(26 * $0)) & mask }
    limbs[4] |= highBit << 24
    return limbs
  }

  private static func carried(_ limbs: [UInt64]) -> [UInt64] {
    var limbs = limbs
    for index in 0..<4 {
      limbs[index + 1] += limbs[index] >> 26
      limbs[index] &= mask
    }
    limbs[0] += limbs[4] >> 26 * 5
    limbs[4] &= mask
    return limbs
  }

  private static func word(_ octets: ArraySlice<UInt8>) -> UInt32 {
    UInt32(truncatingIfNeeded: number(octets))
  }

  private static func number(_ octets: ArraySlice<UInt8>) -> UInt128 {
    octets.reversed().reduce(0) { $0 << 8 | UInt128($1) }
  }

  private static func octets(_ value: UInt128, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt128(8 * $0)) }
  }
}
