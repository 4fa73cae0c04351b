/// The constants of whitepaper §6.1, with the numbers that its implementations agree on beside it.
public enum Limits {
  /// After this many messages under one keypair either side asks for a new one.
  public static let rekeyAfterMessages: UInt64 = 1 << 60
  /// The first counter that is never used; the slack of 2^13 absorbs what several lanes reserve at once.
  public static let rejectAfterMessages: UInt64 = .max - (1 << 13)

  /// The initiator of a session older than this asks for a new one when it sends.
  public static let rekeyAfterTime: Duration = .seconds(120)
  /// No packet is sent or taken under a keypair older than this.
  public static let rejectAfterTime: Duration = .seconds(180)
  /// The wait before an unanswered initiation is repeated, and the least time between any two to one peer.
  public static let rekeyTimeout: Duration = .seconds(5)
  /// The uniform addition to `rekeyTimeout` that keeps two peers from retrying in step.
  public static let rekeyJitter: Duration = .milliseconds(333)
  /// Initiations sent before giving up: the first, then as many as the kernel's counter lets pass in 90 s.
  public static let initiationAttempts = 20
  /// A peer that received data and had none to send answers with a keepalive after this.
  public static let keepaliveTimeout: Duration = .seconds(10)
  /// The age at which a session that only receives is renewed by its initiator, once.
  public static let lastMinuteRenewal: Duration = .seconds(165)
  /// All keys are erased this long after the last session began.
  public static let zeroKeysAfterTime: Duration = .seconds(540)

  /// How long a responder keeps one cookie secret, and how long its cookies are good.
  public static let cookieSecretTime: Duration = .seconds(120)
  /// How long an initiator uses a cookie: it must still be good when the message arrives.
  public static let cookieUseTime: Duration = .seconds(115)
  /// How many copies of one initiation are answered, each where it came from, and for how long.
  public static let answeredCopies = 16
  /// See `answeredCopies`.
  public static let copyTime: Duration = .seconds(5)
  /// The least time between two initiations taken from one peer.
  public static let initiationInterval: Duration = .milliseconds(20)
}
