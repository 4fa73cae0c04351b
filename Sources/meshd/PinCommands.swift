import ArgumentParser
import Mesh
import Net
import Noise

/// `meshd pin`.
struct Pin: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pin", abstract: "Uses one endpoint of a peer as long as it works",
    usage: "meshd pin <base64 public key> <address>:<port> \(RoutingOptions.target)")

  @Argument var peer: String
  @Argument var endpoint: String
  @OptionGroup var options: PeerOptions

  func run() throws {
    guard let endpoint = Endpoint(endpoint) else {
      throw Failure("`\(endpoint)' is no endpoint: an address and a port are wanted, as in 192.0.2.1:51820")
    }
    try options.change(peer, [.endpoint(.address(endpoint))])
  }
}

/// `meshd unpin`.
struct Unpin: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unpin", abstract: "Leaves the choice of a peer's endpoint to measurements again",
    usage: "meshd unpin <base64 public key> \(RoutingOptions.target)")

  @Argument var peer: String
  @OptionGroup var options: PeerOptions

  func run() throws { try options.change(peer, [.unpin]) }
}

/// What the verbs that change one peer have in common.
struct PeerOptions: ParsableArguments {
  @Argument var interface: String?
  @OptionGroup var socket: SocketOptions

  /// Changes a peer that exists.
  fileprivate func change(_ peer: String, _ changes: [UAPIChange]) throws(Failure) {
    guard let key = PublicKey(base64: peer) else { throw Failure("`\(peer)' is no public key in base64") }
    let (client, name) = try socket.target(interface)
    do {
      guard try client.status(of: name).peers.contains(where: { $0.publicKey == key }) else {
        throw Failure("it has no peer \(peer)")
      }
      try client.ask(.set([.peer(key), .updateOnly] + changes))
    } catch {
      throw Failure("Unable to modify interface \(name): \(error)")
    }
  }
}
