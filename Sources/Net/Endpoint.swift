/// The outer UDP address of a peer: address and port (whitepaper §2.1).
@frozen
public struct Endpoint: Hashable, Sendable, BitwiseCopyable {
  /// The IP address.
  public var address: IPAddress
  /// The UDP port.
  public var port: UInt16
  /// The interface index that a link-local IPv6 address belongs to; 0 elsewhere.
  public var scope: UInt32

  /// Makes an endpoint.
  @inlinable
  public init(address: IPAddress, port: UInt16, scope: UInt32 = 0) {
    self.address = address
    self.port = port
    self.scope = scope
  }
}

extension Endpoint: CustomStringConvertible {
  /// Reads `a.b.c.d:port` or `[v6]:port`, with `%` and a number for the scope of a link-local address.
  public init?(_ text: some StringProtocol) {
    guard let colon = text.lastIndex(of: ":") else { return nil }
    let digits = text[text.index(after: colon)...]
    guard (1...5).contains(digits.utf8.count), digits.first != "+", let port = UInt16(digits) else {
      return nil
    }
    var host = Substring(text[..<colon])
    guard host.hasPrefix("[") else {
      guard let address = IPv4Address(host) else { return nil }
      self.init(address: .v4(address), port: port)
      return
    }
    guard host.hasSuffix("]") else { return nil }
    host = host.dropFirst().dropLast()
    var scope: UInt32 = 0
    if let percent = host.firstIndex(of: "%") {
      guard let index = UInt32(host[host.index(after: percent)...]) else { return nil }
      scope = index
      host = host[..<percent]
    }
    guard let address = IPv6Address(host) else { return nil }
    self.init(address: .v6(address), port: port, scope: scope)
  }

  /// The text form.
  public var description: String {
    switch address {
    case .v4(let address): "\(address):\(port)"
    case .v6(let address): scope == 0 ? "[\(address)]:\(port)" : "[\(address)%\(scope)]:\(port)"
    }
  }
}
