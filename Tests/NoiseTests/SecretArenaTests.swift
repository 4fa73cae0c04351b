import Net
import Testing

@testable import Noise

@Suite struct SecretArenaTests {
  private static func octet(_ place: Int, of number: Int) -> UInt8 {
    UInt8(truncatingIfNeeded: (number >> (8 * (place % 4))) + place + 1)
  }

  @Test func holdsTheKeysOf16000Peers() {
    let arena = SecretArena()
    let keys = (0..<16_000).compactMap { number in
      PresharedKey((0..<32).map { Self.octet($0, of: number) }, in: arena)
    }
    #expect(keys.count == 16_000)
    for number in stride(from: 0, to: 16_000, by: 997) {
      let isIntact = keys[number].withBytes { octets in
        (0..<32).allSatisfy { octets[$0] == Self.octet($0, of: number) }
      }
      #expect(isIntact)
    }
  }

  @Test func aSlotIsWipedWhenItsSecretEnds() {
    let arena = SecretArena()
    var secret: Secret? = Secret([UInt8](repeating: 0xA5, count: 32), in: arena)
    // The arena keeps its chunks, so the address can be looked at when the secret is gone.
    let address = secret?.address
    secret = nil
    let octets = address.map { UnsafeRawBufferPointer(start: $0, count: 32).map { $0 } }
    #expect(octets == [UInt8](repeating: 0, count: 32))
    let next = Secret(in: arena)
    let isReused = next.address == address
    #expect(isReused && next.isZero)
  }

  @Test func severalThreadsTakeAndGiveBack() async {
    let arena = SecretArena()
    let sums = await withTaskGroup(of: Bool.self) { group in
      for task in 0..<4 as Range<UInt8> {
        group.addTask {
          (0..<500).allSatisfy { _ in
            let octets = [UInt8](repeating: task + 1, count: 32)
            let secret = Secret(octets, in: arena)
            return secret.array == octets
          }
        }
      }
      return await group.reduce(true) { $0 && $1 }
    }
    #expect(sums)
  }
}

extension Secret {
  var address: UnsafeRawPointer { UnsafeRawPointer(pointer) }
}
