import Tun

/// The answer of rtnetlink: every message is taken out, and the reader ends.
func feedNetlink(_ input: RawSpan) {
  var reader = NetlinkReader(input)
  var messages = 0
  while reader.next() != nil { messages += 1 }
  precondition(messages <= input.byteCount / 16, "a message is at least its header")
}
