internal import Net

/// A peer's part in the choice of those we speak Babel with.
struct Adjacency {
  /// What speaks at the other end.
  enum Speaker {
    /// Nothing was heard yet.
    case unknown
    /// A meshd, which needs no adjacency to be reached, and answers when it is spoken to.
    case meshd
    /// A stock speaker or a peer that is silent, which no choice concerns.
    case other
  }

  /// What was heard.
  var speaker = Speaker.unknown
  /// Whether we want it for a neighbour.
  var isChosen = false
  /// Since when, or since when it is our neighbour again.
  var chosenSince = Instant.zero
  /// When the link was opened.
  var openedAt = Instant.zero
  /// Whether it was chosen since there was no other way to it.
  var isNeeded = false
  /// Since when there has been no way to it.
  var lostSince: Instant?
  /// Whether we open the link only to learn who is there.
  var isDiscovery = false
  /// Before, it is not chosen: it did not answer.
  var shunnedUntil = Instant.zero
  /// Before, its greetings are not heard: we have just said goodbye, and some may still be on their way.
  var deafUntil = Instant.zero
  /// Before, no session is opened only to learn who is there.
  var discoveryPause = Instant.zero
  /// How often in a row it did not answer.
  var failures = 0
  /// When our last handshake message left.
  var initiationSent: Instant?
  /// How long the answer to one took.
  var roundTrip: Duration?

  /// Notes that it did not answer: it is left alone for a while, each time longer.
  mutating func fail(at now: Instant) {
    isChosen = false
    isNeeded = false
    shunnedUntil = now.advanced(by: .seconds(30) * (1 << min(failures, 5)))
    failures += 1
  }
}
