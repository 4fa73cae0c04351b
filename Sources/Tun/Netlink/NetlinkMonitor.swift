internal import CLinux
internal import Glibc
public import SystemPackage

/// Hears of changes to the host's links, addresses and routes.
public struct NetlinkMonitor: ~Copyable {
  /// One piece of news.
  public enum Event: Sendable, Equatable {
    /// Something has changed.
    case change(NetlinkMessage.Content)
    /// News were lost (`ENOBUFS`): what is known must be read anew.
    case overrun
  }

  private var socket: NetlinkSocket

  /// Subscribes; changes from now on are heard.
  public init() throws(Errno) {
    let groups =
      RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE
    socket = try NetlinkSocket(groups: UInt32(groups), isBlocking: false)
  }

  /// The descriptor to watch for reading.
  public var descriptor: FileDescriptor { socket.descriptor.descriptor }

  /// The news of one datagram; `nil` if none waits.
  public mutating func next() throws(Errno) -> [Event]? {
    do {
      return try socket.messages().map { .change($0.content) }
    } catch {
      switch error {
      case .wouldBlock: return nil
      case .noBufferSpace: return [.overrun]
      default: throw error
      }
    }
  }
}

extension NetlinkSocket {
  /// Receives one datagram and reads its messages.
  internal mutating func messages() throws(Errno) -> [NetlinkMessage] {
    let count = try receive()
    var messages: [NetlinkMessage] = []
    var reader = NetlinkReader(unsafe datagram.span.bytes.extracting(first: count))
    while let message = reader.next() { messages.append(message) }
    return messages
  }
}
