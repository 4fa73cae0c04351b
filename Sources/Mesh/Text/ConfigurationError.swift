/// Why a configuration file is refused: a place in it, what is wrong, and what to do.
public struct ConfigurationError: Error, Sendable, Equatable {
  /// The name of the file, as the user gave it.
  public var file: String
  /// The line, from 1.
  public var line: Int
  /// The character of the line, from 1.
  public var column: Int
  /// What is wrong; never a secret.
  public var message: String
  /// What to do about it.
  public var hint: String

  /// Makes an error.
  public init(file: String, line: Int, column: Int, message: String, hint: String) {
    self.file = file
    self.line = line
    self.column = column
    self.message = message
    self.hint = hint
  }
}

extension ConfigurationError: CustomStringConvertible {
  /// `FILE:LINE:COLUMN: what is wrong; what to do`.
  public var description: String { "\(file):\(line):\(column): \(message); \(hint)" }
}

/// Something in a configuration file that has less effect than its author may think.
public struct ConfigurationWarning: Sendable, Equatable {
  /// The name of the file, as the user gave it.
  public var file: String
  /// The line, from 1.
  public var line: Int
  /// The character of the line, from 1.
  public var column: Int
  /// What has which effect.
  public var message: String
}

extension ConfigurationWarning: CustomStringConvertible {
  /// `FILE:LINE:COLUMN: warning: what`.
  public var description: String { "\(file):\(line):\(column): warning: \(message)" }
}
