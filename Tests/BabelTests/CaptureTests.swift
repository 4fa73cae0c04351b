import Foundation
import Net
import Testing

@testable import Babel

/// What stock daemons really send.
@Suite struct CaptureTests {
  @Test(arguments: Captures.names)
  func everyRecordedPacketDecodesAsItsDumpSays(name: String) throws {
    let file = Captures.directory.appending(path: name + ".txt")
    let dump = try Captures.dump(name)
    if ProcessInfo.processInfo.environment["MESHD_RECORD"] != nil {
      try dump.write(to: file, atomically: true, encoding: .utf8)
    }
    #expect(try String(contentsOf: file, encoding: .utf8) == dump)
  }

  @Test(arguments: Captures.names)
  func everyRecordedPacketMeansTheSameAfterBeingWrittenAgain(name: String) throws {
    for packet in try Captures.packets(name) {
      let messages = Captures.messages(packet.payload, from: packet.source)
      var writer = PacketWriter(limit: 1372, source: packet.source)
      for message in messages {
        let fits = writer.append(message)
        #expect(fits)
      }
      let written = writer.finish() ?? []
      #expect(Captures.messages(written, from: packet.source) == messages)
    }
  }

  @Test(arguments: Captures.names)
  func recordedPacketsHoldNothingMalformed(name: String) throws {
    for packet in try Captures.packets(name) {
      guard var reader = PacketReader(packet.payload.span.bytes, from: packet.source) else {
        Issue.record("not Babel")
        return
      }
      while reader.next() != nil {}
      #expect(reader.malformedCount == 0)
    }
  }

  @Test func thereAreCapturesToRead() {
    #expect(Captures.names.count == 18)
  }

  @Test func babeldsUpdatesAreWrittenByteForByte() throws {
    // The retraction of everything has a seqno that means nothing, so a packet without it.
    let packet = try #require(
      try Captures.packets("babeld-wired-nortt").last {
        $0.payload.count > 60 && !Captures.messages($0.payload, from: $0.source).contains(.wildcardRetraction)
      })
    let messages = Captures.messages(packet.payload, from: packet.source)
    var writer = PacketWriter(limit: 1372, source: packet.source)
    for message in messages { _ = writer.append(message) }
    let written = writer.finish()
    #expect(written == packet.payload)
  }
}
