internal import Net
internal import Noise

/// The first step of answering an initiation: one scalar multiplication, to learn who sent it.
///
/// A fourth of what an answer costs, and all that an initiation from a stranger costs. It needs nothing that changes, so
/// any thread may do it; the result goes back to the node as `Node.Input.opened`.
public struct Opening: Sendable {
  /// The most that a node has under way; further initiations are dropped.
  public static let capacity = 512

  let initiation: HandshakeInitiation
  let identity: Identity
  let path: Path

  /// Does it.
  public func run() -> Result {
    do {
      return Result(.success(try initiation.open(by: identity)), of: self)
    } catch {
      return Result(.failure(error), of: self)
    }
  }

  /// What came of it.
  ///
  /// A class, since what it holds must not be copied, and an array of results can be passed on.
  public final class Result: Sendable {
    private let outcome: Swift.Result<OpenedInitiation, HandshakeError>
    let identity: Identity
    let path: Path

    fileprivate init(_ outcome: consuming Swift.Result<OpenedInitiation, HandshakeError>, of opening: Opening)
    {
      self.outcome = outcome
      identity = opening.identity
      path = opening.path
    }

    /// Calls `body` with the opened initiation, or throws why there is none.
    func initiation(_ body: (borrowing OpenedInitiation) throws(HandshakeError) -> Void)
      throws(HandshakeError)
    {
      switch outcome {
      case .success(let initiation): try body(initiation)
      case .failure(let error): throw error
      }
    }
  }
}
