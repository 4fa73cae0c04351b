/// A bounded first-in first-out queue of octet strings, each with a header.
///
/// Memory is taken once, but not touched before there is something to put there: a queue that never holds much never
/// needs more than its first pages.
internal struct DatagramQueue<Header: Sendable>: Sendable {
  private struct Entry: Sendable {
    var header: Header
    var length: Int
  }

  private var entries: [Entry?]
  private var first = 0
  /// The number of datagrams waiting.
  internal private(set) var count = 0
  private var octets: [UInt8]
  private var firstOctet = 0
  private var octetCount = 0

  /// A queue for `capacity` datagrams of `octetCapacity` octets in all.
  internal init(capacity: Int, octetCapacity: Int) {
    entries = Array(repeating: nil, count: capacity)
    // Read only where a datagram was written.
    octets = unsafe Array(unsafeUninitializedCapacity: octetCapacity) { $1 = octetCapacity }
  }

  /// The header queued last, if it still waits.
  internal var last: Header? {
    count == 0 ? nil : entries[(first + count - 1) % entries.count]?.header
  }

  /// Queues a copy; `false` if there is no room, and then nothing changes.
  internal mutating func append(_ header: Header, _ datagram: RawSpan) -> Bool {
    guard count < entries.count, octetCount + datagram.byteCount <= octets.count else { return false }
    entries[(first + count) % entries.count] = Entry(header: header, length: datagram.byteCount)
    count += 1
    guard datagram.byteCount > 0 else { return true }
    let start = (firstOctet + octetCount) % octets.count
    let untilWrap = min(datagram.byteCount, octets.count - start)
    unsafe octets.withUnsafeMutableBytes { octets in
      unsafe datagram.withUnsafeBytes { datagram in
        let head = unsafe UnsafeRawBufferPointer(rebasing: datagram[..<untilWrap])
        let tail = unsafe UnsafeRawBufferPointer(rebasing: datagram[untilWrap...])
        unsafe UnsafeMutableRawBufferPointer(rebasing: octets[start...]).copyMemory(from: head)
        unsafe octets.copyMemory(from: tail)
      }
    }
    octetCount += datagram.byteCount
    return true
  }

  /// Takes the oldest datagram.
  internal mutating func popFirst() -> (header: Header, datagram: [UInt8])? {
    guard count > 0, let entry = entries[first] else { return nil }
    entries[first] = nil
    first = (first + 1) % entries.count
    count -= 1
    let untilWrap = min(entry.length, octets.count - firstOctet)
    let datagram = Array(octets[firstOctet..<firstOctet + untilWrap] + octets[..<(entry.length - untilWrap)])
    octetCount -= entry.length
    firstOctet = count == 0 || octets.isEmpty ? 0 : (firstOctet + entry.length) % octets.count
    return (entry.header, datagram)
  }
}
