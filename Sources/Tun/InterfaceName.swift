internal import Glibc

/// The name of a network interface, as the kernel takes it.
public struct InterfaceName: Hashable, Sendable {
  /// The name.
  public let text: String

  /// Checks a name by the kernel's rules (`dev_valid_name`) and its own use of `%`; `nil` if it would refuse.
  ///
  /// A name may end in `%d`: the kernel puts the first free number there.
  public init?(_ text: some StringProtocol) {
    let text = String(text)
    let octets = Array(text.utf8)
    guard (1..<Int(IFNAMSIZ)).contains(octets.count), text != ".", text != ".." else { return nil }
    for octet in octets where octet <= 0x20 || octet == 0x7F || octet == UInt8(ascii: "/") { return nil }
    guard !octets.contains(UInt8(ascii: ":")) else { return nil }
    if let percent = octets.firstIndex(of: UInt8(ascii: "%")) {
      guard Array(octets[percent...]) == Array("%d".utf8) else { return nil }
    }
    self.text = text
  }

  /// The index of the interface of this name; `nil` if there is none.
  ///
  /// The corresponding C function is `if_nametoindex`.
  public var index: UInt32? {
    let index = unsafe if_nametoindex(text)
    return index == 0 ? nil : index
  }
}

extension InterfaceName: CustomStringConvertible {
  /// The name.
  public var description: String { text }
}
