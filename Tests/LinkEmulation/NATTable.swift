public import Net

/// The mappings of a network address translator (RFC 4787): endpoint-independent mapping, address- and port-dependent
/// filtering, refreshed by outbound packets only.
public struct NATTable: Sendable {
  /// The protocols that are translated.
  public enum Transport: UInt8, Sendable {
    /// ICMP echo; the identifier stands for the port, and that of the remote is 0.
    case icmp = 1
    /// UDP.
    case udp = 17
  }

  /// One side of a conversation.
  public struct Party: Hashable, Sendable {
    /// Its protocol.
    public let transport: Transport
    /// Its address and port.
    public let endpoint: Endpoint

    /// Makes a party.
    public init(_ transport: Transport, _ endpoint: Endpoint) {
      self.transport = transport
      self.endpoint = endpoint
    }
  }

  /// The one inside whom a port stands for.
  public struct Insider: Sendable, Equatable {
    /// The protocol, address and port.
    public let party: Party
    /// The hardware address, six octets.
    public let hardwareAddress: [UInt8]
  }

  private struct Mapping {
    let insider: Insider
    /// When a packet last went to each remote.
    var remotes: [Endpoint: Instant]
    var lastSent: Instant
  }

  /// How long a mapping, and the leave of a remote to answer, outlive the last packet from inside.
  public var expiry = Duration.seconds(30)

  private var ports: [Party: UInt16] = [:]
  private var mappings: [UInt16: Mapping] = [:]
  /// Ports are given one after the other, so that none comes back soon.
  private var nextPort = Self.range.lowerBound
  private static let range: ClosedRange<UInt16> = 40_000...59_999

  /// An empty table.
  public init() {}

  /// The port that stands for `party` outside, for a packet to `remote`; `nil` if all are taken.
  public mutating func port(
    for party: Party, withHardwareAddress hardwareAddress: [UInt8], to remote: Endpoint, at now: Instant
  ) -> UInt16? {
    if let port = ports[party], var mapping = mappings[port], isAlive(mapping.lastSent, at: now) {
      mapping.remotes[remote] = now
      mapping.lastSent = now
      mappings[port] = mapping
      return port
    }
    forgetExpired(at: now)
    guard mappings.count < Self.range.count else { return nil }
    repeat {
      nextPort = nextPort == Self.range.upperBound ? Self.range.lowerBound : nextPort + 1
    } while mappings[nextPort] != nil
    ports[party] = nextPort
    mappings[nextPort] = Mapping(
      insider: Insider(party: party, hardwareAddress: hardwareAddress), remotes: [remote: now], lastSent: now)
    return nextPort
  }

  /// Whom a packet from `remote` to `port` is for; `nil` if nobody inside has written to it lately.
  public func insider(
    behind port: UInt16, of transport: Transport, from remote: Endpoint, at now: Instant
  ) -> Insider? {
    guard let mapping = mappings[port], mapping.insider.party.transport == transport,
      let lastSent = mapping.remotes[remote], isAlive(lastSent, at: now)
    else { return nil }
    return mapping.insider
  }

  /// Forgets every mapping, as a router does that starts again: the next packets get other ports.
  public mutating func rebind() {
    ports = [:]
    mappings = [:]
  }

  private func isAlive(_ lastSent: Instant, at now: Instant) -> Bool {
    lastSent.duration(to: now) < expiry
  }

  private mutating func forgetExpired(at now: Instant) {
    mappings = mappings.filter { isAlive($0.value.lastSent, at: now) }
    ports = ports.filter { mappings[$0.value] != nil }
  }
}
