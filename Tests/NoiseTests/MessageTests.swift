import Net
import Testing

@testable import Noise

/// Whatever the bytes, a parser answers, and nothing that is not authentic changes a machine.
@Suite struct MessageTests {
  @Test func everyLengthAndTypeIsClassifiedOrRefused() {
    for type in 0...6 as ClosedRange<UInt8> {
      for length in 0...200 {
        var message = [UInt8](repeating: 0, count: length)
        if length > 0 { message[0] = type }
        let expected: MessageType? =
          switch (type, length) {
          case (1, 148): .handshakeInitiation
          case (2, 92): .handshakeResponse
          case (3, 64): .cookieReply
          case (4, 32...): .data
          default: nil
          }
        let isClassified = MessageType(message) == expected
        #expect(isClassified, "type \(type), length \(length)")
        #expect((HandshakeInitiation(message) != nil) == (expected == .handshakeInitiation))
        #expect((HandshakeResponse(message) != nil) == (expected == .handshakeResponse))
        #expect((CookieReply(message) != nil) == (expected == .cookieReply))
        #expect((DataHeader(message) != nil) == (expected == .data))
      }
    }
  }

  @Test func theReservedOctetsArePartOfTheType() {
    for offset in 1...3 {
      var message = [UInt8](repeating: 0, count: 148)
      message[0] = 1
      message[offset] = 1
      #expect(MessageType(message) == nil)
    }
  }

  @Test(arguments: 0..<8 as Range<UInt64>)
  func randomDatagramsChangeNothing(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let (a, b) = try TestPeer.pair(seed: seed)
    a.send([1], at: .zero)
    let genuine = a.sent[0]
    b.isUnderLoad = Bool.random(using: &random)
    for round in 0..<400 {
      var datagram: [UInt8]
      if Bool.random(using: &random) {
        datagram = genuine
        for _ in 0...Int.random(in: 0..<4, using: &random) {
          // Not the indices, which only mac1 covers, and not mac2, which nobody asks for without load.
          datagram[Int.random(in: 8..<116, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        if datagram == genuine { continue }
        if round % 2 == 0 {
          datagram.removeLast(32)
          datagram.append(MAC(key: b.identity.labels.mac1Key.array, over: datagram))
          datagram.append(MAC.zero)
        }
      } else {
        let length = [0, 1, 31, 32, 64, 92, 148, 1500].randomElement(using: &random) ?? 0
        datagram = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
        if length >= 4 {
          datagram.replaceSubrange(0..<4, with: [UInt8.random(in: 0...5, using: &random), 0, 0, 0])
        }
      }
      b.receive(datagram, at: .seconds(Double(round)))
      a.receive(datagram, at: .zero)
    }
    #expect(b.published.all.isEmpty && a.published.all.isEmpty && b.received.isEmpty, "seed \(seed)")
    #expect(b.sent.allSatisfy { $0.count == CookieReply.size })
    b.isUnderLoad = false
    b.receive(genuine, at: .seconds(1_000))
    #expect(b.published.next != nil, "seed \(seed)")
  }
}
