extension EmulatedLink {
  /// The commands, for those who ask.
  public static let commands = """
    ab|ba|both SETTING…   what the direction a→b, b→a or each of them does to frames:
        delay TIME, jitter TIME   0 at first; the delay varies by ± jitter
        reorder on|off            whether frames may overtake each other by jitter; off at first
        loss SHARE                0.01 or 1%
        rate RATE|off             100mbit; with queue OCTETS (128 KiB at first) and burst OCTETS (0)
        mtu OCTETS|off            larger IP packets vanish; with router on they are fragmented or answered
        down, up                  nothing passes, and nobody is told; as before
        seed NUMBER               the luck from here on
        clear                     a perfect wire again
    nat SETTING…          IPv4 address translation, end a inside:
        on, off
        expire TIME               of mappings, after their last packet from inside; 30s at first
        address ADDRESS|off       the address outside; off changes the port alone
        rebind                    forgets all mappings: other ports from here on
    stats                 what has passed, one line per direction
    """

  /// Does what a line says; returns what there is to tell, which may be nothing.
  ///
  /// A line that is not understood changes nothing.
  public mutating func perform(_ line: some StringProtocol) throws(CommandError) -> String {
    var words = Words(line)
    switch words.next() {
    case "ab": try impair([.ab], &words)
    case "ba": try impair([.ba], &words)
    case "both": try impair(Direction.allCases, &words)
    case "nat": try changeTranslator(&words)
    case "stats":
      if let word = words.next() { throw CommandError("`stats` takes no word such as `\(word)`.") }
      return Direction.allCases.map { "\($0) \(self[$0].counters)" }.joined(separator: "\n")
    case let word?: throw CommandError("`\(word)` is no command: ab, ba, both, nat or stats.")
    case nil: throw CommandError("The command is empty.")
    }
    return ""
  }

  private mutating func impair(_ directions: [Direction], _ words: inout Words) throws(CommandError) {
    let start = words
    var seed: UInt64?
    var impairments: [Impairment] = []
    for direction in directions {
      words = start
      var impairment = self[direction].impairment
      while let word = words.next() {
        if word == "seed" {
          seed = try words.seed(of: word)
        } else {
          try impairment.set(word, &words)
        }
      }
      impairments.append(impairment)
    }
    for (direction, impairment) in zip(directions, impairments) {
      self[direction].impairment = impairment
      if let seed { self[direction].reseed(seed) }
    }
  }

  private mutating func changeTranslator(_ words: inout Words) throws(CommandError) {
    var translator = translator
    while let word = words.next() {
      switch word {
      case "on": translator = translator ?? AddressTranslator()
      case "off": translator = nil
      case "expire", "address", "rebind":
        guard var changed = translator else { throw CommandError("`nat \(word)` needs `nat on` before it.") }
        switch word {
        case "expire": changed.table.expiry = try words.duration(of: word)
        case "address": changed.address = try words.address(of: word)
        default: changed.table.rebind()
        }
        translator = changed
      default:
        throw CommandError("`\(word)` is no setting of `nat`: on, off, expire, address or rebind.")
      }
    }
    self.translator = translator
  }
}

extension Impairment {
  /// Changes what `word` names to the value that follows it.
  fileprivate mutating func set(_ word: Substring, _ words: inout Words) throws(CommandError) {
    switch word {
    case "delay": delay = try words.duration(of: word)
    case "jitter": jitter = try words.duration(of: word)
    case "reorder": mayReorder = try words.flag(of: word)
    case "loss": loss = try words.share(of: word)
    case "rate": rate = try words.rate(of: word)
    case "burst": burst = try words.octets(of: word)
    case "queue": queue = try words.octets(of: word)
    case "mtu": mtu = try words.mtu(of: word)
    case "router": isRouter = try words.flag(of: word)
    case "down": isDown = true
    case "up": isDown = false
    case "clear": self = Impairment()
    default:
      throw CommandError(
        "`\(word)` is no setting of a direction: "
          + "delay, jitter, reorder, loss, rate, burst, queue, mtu, router, down, up, seed or clear.")
    }
  }
}
