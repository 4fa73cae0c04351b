import Net
import Noise
import Testing

@testable import Mesh

/// What a node remembers over a restart, as text.
@Suite struct PersistentStateTests {
  private let state = PersistentState(
    seqno: 65_535, highWaterMark: Timestamp(sinceUnixEpoch: .seconds(1_700_000_000)))

  @Test func textIsReadBack() {
    #expect(PersistentState(text: state.text) == state)
    let zero = PersistentState(seqno: 0, highWaterMark: Timestamp(seconds: 0, nanoseconds: 0))
    #expect(PersistentState(text: zero.text) == zero)
    #expect(state.text.hasSuffix("\n"))
  }

  @Test func everyChangedCharacterIsNoticed() {
    let text = Array(state.text.dropLast().utf8)
    for index in text.indices {
      var damaged = text
      damaged[index] = damaged[index] == UInt8(ascii: "1") ? UInt8(ascii: "2") : UInt8(ascii: "1")
      #expect(PersistentState(text: String(decoding: damaged, as: UTF8.self)) == nil, "at \(index)")
    }
  }

  @Test func tornFileIsRefused() {
    let text = state.text.dropLast()
    for count in 0..<text.count {
      #expect(PersistentState(text: String(text.prefix(count))) == nil, "\(count) characters")
    }
    #expect(PersistentState(text: "") == nil)
    #expect(PersistentState(text: state.text + state.text) == nil)
  }
}
