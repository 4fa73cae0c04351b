import Net
import Noise
import Testing

@testable import Mesh

@Suite struct DerivedAddressesTests {
  // Computed with Python's hashlib.blake2s.
  @Test(arguments: [
    ("xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=", "fe80::2792:3ad3:af3e:47c7", "27:92:3a:d3:af:3e:47:c7"),
    ("TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=", "fe80::6ef:7cf4:3dd5:9a92", "06:ef:7c:f4:3d:d5:9a:92"),
  ])
  func addressesFollowFromTheKey(key: String, linkLocal: String, routerID: String) throws {
    let derived = DerivedAddresses(of: try #require(PublicKey(base64: key)))
    #expect(derived.linkLocal.description == linkLocal)
    #expect(derived.routerID == routerID)
  }

  @Test func reservedIdentifiersAreAvoided() {
    for identifier: UInt64 in [0, .max, 0xFDFF_FFFF_FFFF_FF80, 0xFDFF_FFFF_FFFF_FFFF] {
      #expect(DerivedAddresses.isReserved(identifier))
    }
    for identifier: UInt64 in [1, 0xFDFF_FFFF_FFFF_FF7F, 0xFE00_0000_0000_0000] {
      #expect(!DerivedAddresses.isReserved(identifier))
    }
  }
}
