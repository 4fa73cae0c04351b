/// Why a line is no filter rule.
public struct FilterSyntaxError: Error, Sendable, Equatable {
  /// The place of the word that is wrong; the number of words where one is missing at the end.
  public let word: Int
  /// What is wrong.
  public let message: String
  /// What to do about it.
  public let hint: String

  init(_ message: String, at word: Int, _ hint: String) {
    self.word = word
    self.message = message
    self.hint = hint
  }
}
