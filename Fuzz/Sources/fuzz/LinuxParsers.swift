import Net
import Tun

/// The answer of rtnetlink: every message is taken out, and the reader ends.
func feedNetlink(_ input: RawSpan) {
  var reader = NetlinkReader(input)
  var messages = 0
  while reader.next() != nil { messages += 1 }
  precondition(messages <= input.byteCount / 16, "a message is at least its header")
}

/// What a host answers to a health check: an echo reply, or the first line of a page.
func feedProbeAnswer(_ input: RawSpan) {
  for isRaw in [false, true] {
    for family in AddressFamily.allCases {
      _ = EchoMessage(family, identifier: 1, sequence: 2).isAnswered(by: input, isRaw: isRaw)
    }
  }
  let octets = input.withUnsafeBytes { Array($0) }
  guard let line = try? HTTPStatusLine(octets) else { return }
  precondition((0..<1000).contains(line.code))
  let beginning = octets.prefix { $0 != UInt8(ascii: "\n") }
  precondition((try? HTTPStatusLine(Array(beginning))) == nil, "an answer before its line was complete")
}
