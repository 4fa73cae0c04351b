internal import Glibc
public import Net
internal import SystemPackage

/// The errors that wait at a `UDPSocket` made with `reportsErrors`, with the memory for its system calls.
///
/// They take their room from what datagrams wait in, so a flood of them is to be taken off as fast as it comes; the
/// poller says `hasErrors` until none is left. It belongs to one thread; a socket may have several.
public struct ErrorQueue: ~Copyable {
  private let messages: MessageVector

  /// Makes the memory; one system call takes at most `capacity` errors.
  public init(capacity: Int = 64) {
    messages = MessageVector(capacity: capacity)
    for index in 0..<capacity { messages.setEmptyPiece(index) }
  }

  /// Takes off errors of one family, in one system call that does not block, and hands over those that say something.
  ///
  /// Whether there may be more.
  public func drain(
    _ family: AddressFamily, of socket: UDPSocket, _ body: (DatagramError) -> Void
  ) -> Bool {
    guard let descriptor = socket.descriptor(family)?.rawValue else { return false }
    for index in 0..<messages.capacity { messages.prepareToReceive(index) }
    do throws(Errno) {
      let count = Int(
        try systemCall { messages.receiveErrors(from: descriptor, count: messages.capacity) })
      for index in 0..<count {
        // The name is where the datagram was to go.
        guard let remote = messages.name(index), let error = messages.error(index, about: remote) else {
          continue
        }
        body(error)
      }
      return count == messages.capacity
    } catch {
      // Nothing waits: others take errors too.
      return false
    }
  }
}
