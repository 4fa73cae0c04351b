import Net
import Testing

@Suite struct PacketBatchTests {
  @Test func packetsKeepTheirBytesAndRoom() {
    var batch = PacketBatch(bufferCount: 4, bufferCapacity: 1500)
    for i in 0..<4 {
      let bytes = [UInt8](repeating: UInt8(i), count: 100 + i)
      #expect(batch.append(copying: bytes.span.bytes) == i)
    }
    #expect(batch.append(copying: [1].span.bytes) == nil)
    for i in 0..<4 {
      #expect(batch[i].length == UInt32(100 + i))
      #expect(batch.bytes(i).byte(99) == UInt8(i))
      #expect(Int(batch[i].offset) >= PacketBatch.headroom)
    }
    var bytes = batch.mutableBytes(2)
    bytes.set(big16: 0x1234, at: 0)
    #expect(batch.bytes(2).big16(0) == 0x1234)
    batch.removeAll()
    #expect(batch.count == 0)
  }

  @Test func aPathRepeatedIsStoredOnce() throws {
    var batch = PacketBatch(bufferCount: 2, bufferCapacity: 64)
    let a = Path(remote: try #require(Endpoint("10.0.0.1:51820")))
    let b = Path(remote: try #require(Endpoint("[fe80::1%3]:51820")))
    #expect(batch.append(a) == 0)
    #expect(batch.append(a) == 0)
    #expect(batch.append(b) == 1)
    #expect(batch.path(1) == b)
  }
}
