/// Everything that reads bytes from outside, by the name that `scripts/fuzz` and the corpus directory use.
enum Parser: String, CaseIterable {
  case address
  case babelPacket = "babel-packet"
  case babelSpeaker = "babel-speaker"
  case configuration
  case filterRule = "filter-rule"
  case ipHeader = "ip-header"
  case merge
  case mssClamp = "mss-clamp"
  case netlink
  case probeAnswer = "probe-answer"
  case superPacket = "super-packet"
  case uapi
  case udpMessage = "udp-message"

  /// The one named on the command line.
  static let selected = CommandLine.arguments.dropFirst().first.flatMap(Parser.init(rawValue:))

  /// Hands one input to the parser and checks what it returns.
  func feed(_ input: RawSpan) {
    switch self {
    case .address: feedAddress(input)
    case .babelPacket: feedBabelPacket(input)
    case .babelSpeaker: feedBabelSpeaker(input)
    case .configuration: feedConfiguration(input)
    case .filterRule: feedFilterRule(input)
    case .ipHeader: feedIPHeader(input)
    case .merge: feedMerge(input)
    case .mssClamp: feedMSSClamp(input)
    case .netlink: feedNetlink(input)
    case .probeAnswer: feedProbeAnswer(input)
    case .superPacket: feedSuperPacket(input)
    case .uapi: feedUAPI(input)
    case .udpMessage: feedUDPMessage(input)
    }
  }
}

extension RawSpan {
  /// The input as text, mended where it is not UTF-8.
  var text: String {
    withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
  }
}
