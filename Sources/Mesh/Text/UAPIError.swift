/// Why a UAPI request was refused, as the number and the sentence of the answer.
public struct UAPIError: Error, Sendable, Equatable {
  /// The Linux `errno` values that answers carry.
  public struct Code: RawRepresentable, Sendable, Equatable {
    /// The number, positive.
    public let rawValue: Int32

    /// Makes the code with this number.
    public init(rawValue: Int32) {
      self.rawValue = rawValue
    }

    /// `EIO`: what the request asked for failed.
    public static let inputOutput = Code(rawValue: 5)
    /// `EINVAL`: a key is unknown or does not take the value.
    public static let invalidArgument = Code(rawValue: 22)
    /// `EPROTO`: the request is not in the protocol's form.
    public static let protocolError = Code(rawValue: 71)
    /// `EOPNOTSUPP`: the interface does not do what the request is about.
    public static let notSupported = Code(rawValue: 95)
    /// `EADDRINUSE`: another socket has the port.
    public static let addressInUse = Code(rawValue: 98)
  }

  /// What `errno=` says.
  public var code: Code
  /// One sentence without full stop; never a secret.
  public var message: String

  /// Makes an error.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }
}

extension UAPIError: CustomStringConvertible {
  /// The sentence.
  public var description: String { message }
}
