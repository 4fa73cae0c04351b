import LinkEmulation
import Net
import SystemPackage
import Tun

/// A link at work: its two interfaces, its control socket, and the clock.
struct Emulation: ~Copyable {
  /// What is waited for.
  enum Token: UInt64 {
    case a, b, alarm, control
  }

  /// Frames read from one interface before the other gets its turn.
  private static let readsPerTurn = 32

  private var link: EmulatedLink
  private let devices: [TapDevice]
  private var control: ControlSocket
  private var poller: Poller<Token>
  private var alarm: Alarm
  private let clock = SystemClock()

  /// Makes the two interfaces, then the socket, which so tells that they are there.
  init(_ names: [InterfaceName], socket: FilePath, seed: UInt64) throws {
    let devices = try names.map { try TapDevice(named: $0) }
    let control = try ControlSocket(at: socket)
    let alarm = try Alarm()
    let poller = try Poller<Token>()
    try poller.add(devices[LinkEnd.a.rawValue].descriptor, as: .a)
    try poller.add(devices[LinkEnd.b.rawValue].descriptor, as: .b)
    try poller.add(alarm.descriptor, as: .alarm)
    try poller.add(control.descriptor, as: .control)
    link = EmulatedLink(seed: seed)
    self.devices = devices
    self.control = control
    self.alarm = alarm
    self.poller = poller
  }

  /// Forwards frames and obeys commands until an interface is deleted.
  mutating func run() throws {
    while true {
      try poller.wait(atMost: nil)
      for event in poller.events {
        switch event.token {
        case .a: try receive(from: .a)
        case .b: try receive(from: .b)
        case .control: try converse()
        // It has done its work by waking us, and is quiet once it is set anew.
        case .alarm: break
        }
      }
      deliver()
      alarm.set(link.deadline)
    }
  }

  private mutating func receive(from end: LinkEnd) throws(Errno) {
    for _ in 0..<Self.readsPerTurn {
      guard let frame = try devices[end.rawValue].read() else { return }
      link.receive(frame, at: end, now: clock.now)
    }
  }

  private mutating func deliver() {
    for end in LinkEnd.allCases {
      while let frame = link.next(for: end, now: clock.now) {
        if !devices[end.rawValue].write(frame) { link.countRefusal(at: end) }
      }
    }
  }

  private mutating func converse() throws(Errno) {
    // The descriptor to watch changes with the client, and must not close while it is watched.
    try poller.remove(control.descriptor)
    do {
      try control.accept()
      if let lines = try control.lines() {
        control.answer(perform(lines))
        control.hangUp()
      }
    } catch {
      // The client has gone.
      control.hangUp()
    }
    try poller.add(control.descriptor, as: .control)
  }

  /// What each line has to tell, and `ok`, or `error: ` and a sentence for the first that fails.
  private mutating func perform(_ lines: [String]) -> String {
    var answer = ""
    for line in lines {
      do {
        let text = try link.perform(line)
        if !text.isEmpty { answer += text + "\n" }
      } catch {
        return answer + "error: \(error)\n"
      }
    }
    return answer + "ok\n"
  }
}
