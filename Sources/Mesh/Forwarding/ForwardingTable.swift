public import Net
public import Noise

/// All that lanes need to move packets, as it was at the end of one turn of the control thread.
///
/// Derived from configuration, sessions and Babel, never edited: the control thread changes a `Draft`, freezes it, and
/// publishes the result. What did not change is shared between tables.
public final class ForwardingTable: Sendable {
  /// What concerns the interface as a whole.
  public struct Settings: Sendable {
    /// Our static key; while it is `nil`, no handshake message is for us.
    public var identity: Identity?
    /// Our addresses; the first of each family is the source of ICMP errors.
    ///
    /// Each is `.local` in the table.
    public var ownAddresses: [IPAddress] = []
    /// Our link-local address, to which Babel packets may come; `nil` without Babel.
    public var linkLocal: IPv6Address?
    /// How packets between two peers travel.
    ///
    /// `kernel` gives every packet to the TUN device, as WireGuard does.
    public var transit = Configuration.Transit.kernel
    /// How the sources of packets from peers that speak Babel are checked.
    public var sourceCheck = Configuration.SourceCheck.anchored
    /// The MTU of the TUN device, in octets.
    public var mtu = 1420

    /// Those of a plain WireGuard interface.
    public init() {}
  }

  /// Prefixes, for destinations and sources.
  public let allowedIPs: AllowedIPs
  /// Peers by the receiver index of their sessions.
  public let receivers: ReceiverIndexTable
  /// The interface's part.
  public let settings: Settings
  private let peers: PeerTable

  fileprivate init(_ draft: borrowing Draft) {
    allowedIPs = draft.allowedIPs
    receivers = draft.receivers
    settings = draft.settings
    peers = draft.peers
  }

  /// The peer with this id.
  public func peer(_ id: PeerID) -> PeerEntry? { peers[id] }

  /// A session that may receive, and whose it is.
  public struct Session: Sendable {
    /// The keys.
    public let keypair: Keypair
    /// The peer's id.
    public let id: PeerID
    /// The peer.
    public let peer: PeerEntry
  }

  /// The session with this receiver index.
  public func session(_ index: ReceiverIndex) -> Session? {
    guard let id = receivers[index], let peer = peers[id], let keypair = peer.keypair(index) else {
      return nil
    }
    return Session(keypair: keypair, id: id, peer: peer)
  }

  /// A table without peers.
  public static var empty: ForwardingTable {
    var draft = Draft()
    return draft.freeze()
  }

  /// The control thread's copy of a table, to be changed and frozen.
  public struct Draft: Sendable {
    /// Prefixes, for destinations and sources.
    public var allowedIPs = AllowedIPs()
    /// The interface's part.
    public var settings = Settings()
    /// Peers by the receiver index of their sessions; follows from the peers.
    public private(set) var receivers = ReceiverIndexTable()
    fileprivate private(set) var peers = PeerTable()

    /// A draft of the empty table.
    public init() {}

    /// The peer with this id; `nil` removes it.
    ///
    /// Its sessions enter and leave the receiver table with it; prefixes that name it are the caller's to
    /// change.
    public subscript(id: PeerID) -> PeerEntry? {
      get { peers[id] }
      set {
        let old = peers[id]?.keypairs ?? []
        let new = newValue?.keypairs ?? []
        for keypair in old where !new.contains(where: { $0 === keypair }) {
          receivers.remove(keypair.localIndex)
        }
        for keypair in new where !old.contains(where: { $0 === keypair }) {
          receivers.insert(keypair.localIndex, of: id)
        }
        peers[id] = newValue
      }
    }

    /// The table as it stands.
    ///
    /// Own addresses become `.local` here, whatever else claims them.
    public mutating func freeze() -> ForwardingTable {
      for address in settings.ownAddresses {
        let prefix = IPPrefix(host: address)
        guard allowedIPs[prefix]?.target != .local else { continue }
        allowedIPs[prefix] = Route(.local)
      }
      return ForwardingTable(self)
    }
  }
}
