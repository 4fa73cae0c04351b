/// Why a command of the control socket is not understood: one sentence.
public struct CommandError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The sentence.
  public let description: String

  init(_ description: String) {
    self.description = description
  }
}
