/// The intervals of a speaker (RFC 8966 appendix B).
///
/// Simulations shorten them; a daemon uses the defaults.
public struct Timing: Sendable {
  /// Between two Hellos to a meshd that may be needed at any moment.
  public var hello: Duration = .seconds(1)
  /// Between two Hellos on a link that is not usable, or in doubt; and always to other speakers, which notice our death by
  /// nothing else.
  public var frequentHello: Duration = .milliseconds(500)
  /// How long a link is without traffic until Hellos become rarer: half of them are left, and after ten times as long a
  /// fourth.
  public var idle: Duration = .seconds(60)
  /// Between two full updates to one neighbour that is no meshd; the longest wait before one that is learns of a small
  /// change.
  public var update: Duration = .seconds(20)
  /// In which time a meshd neighbour is told every route once more.
  ///
  /// It learns of changes at once and notices what it missed, so that is long. At most 655 s.
  public var meshUpdate: Duration = .seconds(300)
  /// An IHU promises the next one within this many Hello intervals.
  public var hellosPerIHU = 3
  /// The longest wait before a retraction, a new route or an answer leaves.
  public var urgent: Duration = .milliseconds(10)
  /// The longest wait before a changed metric leaves.
  public var calm: Duration = .milliseconds(200)
  /// The longest wait before a metric leaves that became a little worse.
  public var hesitation: Duration = .seconds(1)
  /// Between two times at which better metrics leave to one neighbour.
  public var damping: Duration = .seconds(2)
  /// Between the Hellos of the burst that opens a link.
  public var burst: Duration = .milliseconds(20)
  /// Before the first repetition of a seqno request of ours; each further one waits twice as long.
  public var requestResend: Duration = .milliseconds(250)
  /// The longest wait between two repetitions.
  public var requestPatience: Duration = .seconds(60)
  /// How long a forwarded seqno request is not forwarded again.
  ///
  /// Shorter than the first repetition.
  public var requestSuppression: Duration = .milliseconds(200)
  /// Between two requests that raise our number by more than one.
  public var leapSpacing: Duration = .seconds(10)
  /// Before an unacknowledged update is sent again; each further time waits twice as long.
  public var acknowledgment: Duration = .milliseconds(250)
  /// Between two full updates that a neighbour's wildcard requests may cause.
  public var dumpSpacing: Duration = .seconds(1)
  /// The half-life of the difference between a smoothed metric and the metric (appendix A.3).
  public var smoothing: Duration = .seconds(4)
  /// How long a neighbour that no longer announces a prefix still counts as its announcer.
  public var announcerGrace: Duration = .seconds(10)
  /// How long a claim is defended against one that has a newer number, but may be older.
  public var claimYouth: Duration = .seconds(2)
  /// How long a feasibility distance outlives its last use.
  ///
  /// Longer than any route lives at a neighbour, which is 3.5 times `meshUpdate`.
  public var sourceLifetime: Duration = .seconds(1200)

  /// The defaults.
  public init() {}

  /// Between two Hellos to a meshd that has said so often that it can do without us.
  func call(after dismissals: Int) -> Duration { hello * (2 << min(dismissals, 5)) }
}

/// The bounds of a speaker's tables: what a neighbour sends never makes them grow without end.
public struct Limits: Sendable {
  /// Routes stored from one neighbour; further ones are dropped, retractions are not.
  public var routesPerNeighbour = 10_000
  /// Feasibility distances; a route that finds no room for its own is not announced.
  public var sources = 400_000
  /// Seqno requests remembered for one prefix.
  public var requestsPerPrefix = 8
  /// Requests, and answers about prefixes we do not know, that wait for one neighbour; further ones are dropped.
  public var requestsPerNeighbour = 10_000
  /// Packets to one neighbour that wait for an acknowledgment; further ones go without.
  public var unacknowledgedPackets = 256
  /// Link-local addresses remembered for one stock neighbour.
  public var linkLocals = 4

  /// The defaults.
  public init() {}
}
