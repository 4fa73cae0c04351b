import Glibc
import Net
import Synchronization
import SystemPackage
import Testing
import Tun

@Suite struct PollerTests {
  private enum Source: UInt64 {
    case first, second
  }

  @Test func newsComeUnderTheTokenOfTheirDescriptor() throws {
    var poller = try Poller<Source>()
    let first = try Wakeup()
    let second = try Wakeup()
    try poller.add(first.descriptor, as: .first)
    try poller.add(second.descriptor, as: .second)
    try poller.wait(atMost: .zero)
    #expect(poller.events.isEmpty)
    second.signal()
    second.signal()
    try poller.wait(atMost: nil)
    #expect(poller.events.map(\.token) == [.second])
    #expect(poller.events.allSatisfy { $0.isReadable && !$0.hasEnded })
    #expect(second.clear() && !second.clear())
    try poller.wait(atMost: .zero)
    #expect(poller.events.isEmpty)
    try poller.update(first.descriptor, as: .first, for: [.read, .write])
    try poller.wait(atMost: nil)
    #expect(poller.events.map(\.isWritable) == [true])
    try poller.remove(first.descriptor)
    try poller.wait(atMost: .zero)
    #expect(poller.events.isEmpty)
  }

  @Test func aDeadlineIsOverWhenTheWaitForItReturns() throws {
    var poller = try Poller<Source>()
    let clock = SystemClock()
    let deadline = clock.now.advanced(by: .microseconds(1500))
    try poller.wait(atMost: clock.now.duration(to: deadline))
    #expect(poller.events.isEmpty && clock.now >= deadline)
    #expect(clock.wallNanoseconds > 1_700_000_000_000_000_000)
  }

  @Test func aThreadWakesAnotherAndIsJoined() throws {
    let wakeup = try Wakeup()
    let count = Atomic<Int>(0)
    let name = Mutex("")
    let thread = try Thread(named: "a name of more than 15") {
      count.add(1, ordering: .relaxed)
      let octets = (try? StateFile("/proc/thread-self/comm").read()) ?? []
      name.withLock { $0 = String(decoding: octets, as: UTF8.self) }
      wakeup.signal()
    }
    var poller = try Poller<Source>()
    try poller.add(wakeup.descriptor, as: .first)
    try poller.wait(atMost: nil)
    #expect(poller.events.count == 1)
    thread.join()
    #expect(count.load(ordering: .relaxed) == 1)
    #expect(name.withLock { $0 } == "a name of more \n")
  }

  @Test func aThreadOwnsWhatIsMovedIntoIt() throws {
    let wakeup = try Wakeup()
    let socket = try UDPSocket(port: 0)
    var reader = socket.reader()
    var batch = PacketBatch(bufferCount: 2, bufferCapacity: 100)
    let thread = try Thread(named: "owner") {
      if reader.receive(into: &batch).count == 0 { wakeup.signal() }
    }
    thread.join()
    #expect(wakeup.clear())
  }

  @Test func signalsAreReadInsteadOfEndingTheProcess() throws {
    // On a thread of its own: what is blocked stays blocked.
    let thread = try Thread(named: "signals") {
      do {
        let source = try SignalSource([.user1, .hangUp])
        #expect(try source.next() == nil)
        // To this thread alone: others of the test process do not block it.
        pthread_kill(pthread_self(), SIGUSR1)
        var poller = try Poller<Source>()
        try poller.add(source.descriptor, as: .first)
        try poller.wait(atMost: nil)
        #expect(try source.next() == .user1)
        #expect(try source.next() == nil)
      } catch {
        Issue.record(error)
      }
    }
    thread.join()
  }
}
