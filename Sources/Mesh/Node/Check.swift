public import Net

extension Configuration {
  /// A health check (`Check`): a prefix is announced only while something answers.
  public struct Check: Sendable, Hashable {
    /// What is asked.
    public enum Question: Sendable, Hashable {
      /// An echo request.
      case ping(IPAddress)
      /// A TCP connection.
      case tcp(Endpoint)
      /// A page, by plain HTTP; any status of 200 to 399 will do.
      case http(Endpoint, path: String)
    }

    /// The prefix; announced or redistributed elsewhere in the configuration.
    public var prefix: IPPrefix
    /// What is asked.
    public var question: Question
    /// Between two questions.
    public var interval = Duration.seconds(10)
    /// After how many failures in a row the prefix is withdrawn.
    public var failures = 3
    /// After how many successes in a row it is announced again.
    public var successes = 3

    /// Makes a check with the default numbers.
    public init(_ prefix: IPPrefix, _ question: Question) {
      self.prefix = prefix
      self.question = question
    }
  }
}

extension Configuration.Check: CustomStringConvertible {
  /// `PREFIX QUESTION every T fail N`, and `pass M` where it is not N.
  public var description: String {
    let (seconds, attoseconds) = interval.components
    let time = attoseconds == 0 ? "\(seconds)s" : "\(interval.nanoseconds / 1_000_000)ms"
    let pass = successes == failures ? "" : " pass \(successes)"
    return "\(prefix) \(question) every \(time) fail \(failures)\(pass)"
  }
}

extension Configuration.Check.Question: CustomStringConvertible {
  /// `ping ADDRESS`, `tcp ADDRESS:PORT` or `http ADDRESS:PORT/PATH`.
  public var description: String {
    switch self {
    case .ping(let address): "ping \(address)"
    case .tcp(let endpoint): "tcp \(endpoint)"
    case .http(let endpoint, let path): "http \(endpoint)\(path)"
    }
  }
}
