public import Net

/// The addresses inside a list of prefixes: what a peer's `Accept` lets it announce and carry.
public struct AddressSet: Sendable {
  private var prefixes = AllowedIPs()

  /// The addresses inside any of `prefixes`.
  public init(_ prefixes: some Sequence<IPPrefix>) {
    for prefix in prefixes { self.prefixes[prefix] = Route(.local) }
  }

  /// Whether `address` is inside.
  public func contains(_ address: IPAddress) -> Bool {
    prefixes.longestMatch(address) != nil
  }
}
