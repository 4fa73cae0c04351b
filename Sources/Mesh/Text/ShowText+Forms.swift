internal import Net
internal import Noise

extension ShowText {
  /// The form of `wg showconf`: what is set at this moment, endpoints as learned, secrets included.
  public static func showconf(_ status: Status) -> String {
    var text = "[Interface]\n"
    if status.listenPort != 0 { text += "ListenPort = \(status.listenPort)\n" }
    if status.firewallMark != 0 { text += "FwMark = 0x\(String(status.firewallMark, radix: 16))\n" }
    if let key = status.privateKey { text += "PrivateKey = \(key.base64)\n" }
    for peer in status.peers {
      text += "\n[Peer]\nPublicKey = \(peer.publicKey.base64)\n"
      if let key = peer.presharedKey { text += "PresharedKey = \(key.base64)\n" }
      if !peer.allowedIPs.isEmpty {
        text += "AllowedIPs = \(peer.allowedIPs.map(\.description).joined(separator: ", "))\n"
      }
      if let endpoint = peer.endpoint { text += "Endpoint = \(endpoint)\n" }
      if peer.persistentKeepalive != 0 { text += "PersistentKeepalive = \(peer.persistentKeepalive)\n" }
    }
    return status.peers.isEmpty ? text + "\n" : text
  }
}
