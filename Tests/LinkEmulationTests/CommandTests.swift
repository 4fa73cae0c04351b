import LinkEmulation
import Net
import Testing

@Suite struct CommandTests {
  private var link = EmulatedLink(seed: 1)

  @Test mutating func aLineSetsWhatItNames() throws {
    #expect(
      try link.perform(
        "ab delay 10ms jitter 1.5ms reorder on loss 1% rate 2.5gbit queue 64k burst 3000"
      ).isEmpty)
    _ = try link.perform("both  mtu 1280\trouter on")
    var expected = Impairment()
    expected.mtu = 1280
    expected.isRouter = true
    #expect(link.ba.impairment == expected)
    expected.delay = .milliseconds(10)
    expected.jitter = .microseconds(1500)
    expected.mayReorder = true
    expected.loss = 0.01
    expected.rate = 2_500_000_000
    expected.queue = 64_000
    expected.burst = 3000
    #expect(link.ab.impairment == expected)
    _ = try link.perform("ab rate off mtu off down")
    #expect(link.ab.impairment.rate == nil && link.ab.impairment.mtu == nil && link.ab.impairment.isDown)
    _ = try link.perform("both clear")
    #expect(link.ab.impairment == Impairment() && link.ba.impairment == Impairment())
  }

  @Test mutating func translationIsSwitchedAndSet() throws {
    _ = try link.perform("nat on expire 10s address 192.0.2.1 rebind")
    #expect(link.translator?.table.expiry == .seconds(10))
    #expect(link.translator?.address == IPv4Address(192, 0, 2, 1))
    _ = try link.perform("nat address off")
    #expect(link.translator != nil && link.translator?.address == nil)
    _ = try link.perform("nat off")
    #expect(link.translator == nil)
  }

  @Test mutating func aSeedRepeatsTheLuck() throws {
    var arrived: [[UInt8]] = []
    for start in [0.0, 1000.0] {
      _ = try link.perform("ab loss 50% seed 7")
      for number in 0..<100 { link.receive(TestFrame.opaque(UInt8(number)), at: .a, now: .ms(start)) }
      arrived.append(link.arrivals(at: .b, .ms(start)).map { $0.payload[0] })
    }
    #expect(arrived[0] == arrived[1])
    #expect((20...80).contains(arrived[0].count))
  }

  @Test mutating func statisticsAreWordsForScripts() throws {
    _ = try link.perform("ba down")
    _ = link.crossing(TestFrame.opaque(1))
    _ = link.crossing(TestFrame.opaque(2), from: .b)
    let zeros = "late_p50_us=0 late_p99_us=0 late_max_us=0"
    #expect(
      try link.perform("stats") == """
        ab received=1 delivered=1 down=0 mtu=0 nat=0 queue=0 loss=0 refused=0 \(zeros)
        ba received=1 delivered=0 down=1 mtu=0 nat=0 queue=0 loss=0 refused=0 \(zeros)
        """)
  }

  @Test(arguments: [
    ("", "The command is empty."),
    ("ac delay 1ms", "`ac` is no command: ab, ba, both, nat or stats."),
    (
      "ab dealy 1ms",
      "`dealy` is no setting of a direction: "
        + "delay, jitter, reorder, loss, rate, burst, queue, mtu, router, down, up, seed or clear."
    ),
    ("ab delay", "`delay` needs a value: a number and one of ns, us, ms, s, such as 1.5ms."),
    (
      "ab delay 10",
      "`10` is no value of `delay`, which is a number and one of ns, us, ms, s, such as 1.5ms."
    ),
    (
      "ab delay -1ms",
      "`-1ms` is no value of `delay`, which is a number and one of ns, us, ms, s, such as 1.5ms."
    ),
    ("ab loss 1.5", "`1.5` is no value of `loss`, which is a share from 0 to 1, or a percentage such as 5%."),
    ("ab loss nan", "`nan` is no value of `loss`, which is a share from 0 to 1, or a percentage such as 5%."),
    (
      "ab rate 0mbit",
      "`0mbit` is no value of `rate`, which is a number and one of bit, kbit, mbit, gbit, or `off`."
    ),
    ("ab mtu 67", "`67` is no value of `mtu`, which is a number of octets from 68 to 65535, or `off`."),
    ("ab router yes", "`yes` is no value of `router`, which is `on` or `off`."),
    ("nat rebind", "`nat rebind` needs `nat on` before it."),
    ("nat on forever", "`forever` is no setting of `nat`: on, off, expire, address or rebind."),
    ("nat on address ::1", "`::1` is no value of `address`, which is an IPv4 address, or `off`."),
    ("stats ab", "`stats` takes no word such as `ab`."),
  ]) mutating func aMistakeIsToldInOneSentence(_ line: String, _ sentence: String) {
    let error = #expect(throws: CommandError.self) { _ = try link.perform(line) }
    #expect(error?.description == sentence)
  }

  @Test mutating func aLineThatIsNotUnderstoodChangesNothing() {
    #expect(throws: CommandError.self) { try link.perform("both delay 1ms seed 3 loss 2") }
    #expect(throws: CommandError.self) { try link.perform("nat on expire never") }
    #expect(link.ab.impairment == Impairment() && link.ba.impairment == Impairment())
    #expect(link.translator == nil)
  }
}
