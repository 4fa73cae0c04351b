internal import Glibc
public import Net
public import SystemPackage

/// One UDP port on both families: a socket for IPv4 and one for IPv6.
///
/// Shared by the lane that reads it, those that write to it and the control thread; it closes with its last user. A
/// machine without one of the families has the other alone.
public final class UDPSocket: Sendable {
  /// What a socket is made with.
  public struct Options: Sendable, Equatable {
    /// The mark on what is sent; 0 is none.
    public var firewallMark: UInt32 = 0
    /// Octets that wait to be read, and that wait to be sent; the kernel's limits are passed where it allows.
    public var bufferSize: Int32 = 7 << 20
    /// Whether trains of datagrams pass the kernel as one message, where it can do that.
    public var usesOffloads = true
    /// Whether ICMP errors about what was sent wait in the socket's `ErrorQueue` (`IP_RECVERR`), which is then to be read.
    public var reportsErrors = false

    /// No mark, buffers of 7 MiB, offloads, no errors.
    public init() {}
  }

  /// The local port of both families.
  public let port: UInt16
  private let ipv4: FamilySocket?
  private let ipv6: FamilySocket?

  /// Binds one socket pair; for `port` 0 the kernel chooses one that is free on both families.
  public convenience init(port: UInt16, options: Options = Options()) throws(BindError) {
    try self.init(port: port, options: options, isShared: false)
  }

  /// Binds one socket pair for each of `lanes`, all on one port: the kernel spreads flows over them.
  public static func group(lanes: Int, port: UInt16, options: Options = Options()) throws(BindError)
    -> [UDPSocket]
  {
    precondition(lanes > 0)
    guard lanes > 1 else { return [try UDPSocket(port: port, options: options)] }
    // Alone first, and closed again: sharing would share with a stranger of the same user too, and hide that the port is
    // taken.
    let port = try UDPSocket(port: port, options: options).port
    var sockets: [UDPSocket] = []
    for _ in 0..<lanes {
      sockets.append(try UDPSocket(port: port, options: options, isShared: true))
    }
    return sockets
  }

  private init(port: UInt16, options: Options, isShared: Bool) throws(BindError) {
    var attempts = 100
    while true {
      let ipv4 = try FamilySocket.open(.v4, options: options, isShared: isShared)
      let ipv6 = try FamilySocket.open(.v6, options: options, isShared: isShared)
      do throws(BindError) {
        var bound = port
        guard ipv4 != nil || ipv6 != nil else { throw .failed(.addressFamilyNotSupported, in: "socket") }
        if let ipv4 { bound = try ipv4.bind(port: bound) }
        if let ipv6 { bound = try ipv6.bind(port: bound) }
        self.port = bound
        self.ipv4 = ipv4
        self.ipv6 = ipv6
        return
      } catch {
        // A port that the kernel chose for one family may be taken on the other.
        attempts -= 1
        guard case .portInUse = error, port == 0, attempts > 0 else { throw error }
      }
    }
  }

  /// The descriptor of one family, to watch for reading; `nil` if the machine does not have the family.
  public func descriptor(_ family: AddressFamily) -> FileDescriptor? {
    socket(family)?.descriptor.descriptor
  }

  /// The offloads in use on one family; none if the machine does not have the family.
  ///
  /// For any thread. Segmentation may end at run time, when a device refuses it.
  public func offloads(_ family: AddressFamily) -> UDPOffloads {
    socket(family)?.offloads ?? UDPOffloads()
  }

  internal func socket(_ family: AddressFamily) -> FamilySocket? {
    switch family {
    case .v4: ipv4
    case .v6: ipv6
    }
  }

  /// Changes the mark on what is sent from now on; 0 is none.
  public func setFirewallMark(_ mark: UInt32) throws(Errno) {
    try ipv4?.setOption(SOL_SOCKET, SO_MARK, Int32(bitPattern: mark))
    try ipv6?.setOption(SOL_SOCKET, SO_MARK, Int32(bitPattern: mark))
  }

  /// A reader of this socket for one thread.
  ///
  /// One system call brings at most `capacity` messages, each a datagram or a train: the number of buffers of the batch.
  public func reader(capacity: Int = 64) -> DatagramReader {
    DatagramReader(self, capacity: capacity)
  }

  /// A writer to this socket for one thread.
  ///
  /// One system call takes at most `capacity` messages, each a datagram or a train.
  public func writer(capacity: Int = 64) -> DatagramWriter {
    DatagramWriter(self, capacity: capacity)
  }

  /// Sends one datagram, as `DatagramWriter` does: a handshake message.
  ///
  /// It allocates; for the control thread.
  public func send(_ bytes: RawSpan, along path: Path, trafficClass: UInt8 = 0) -> DatagramWriter.Result {
    var batch = PacketBatch(bufferCount: 1, bufferCapacity: max(bytes.byteCount, 1))
    guard let index = batch.append(copying: bytes) else { return DatagramWriter.Result() }
    batch[index].path = batch.append(path)
    batch[index].dscp = trafficClass
    batch[index].disposition = .send
    var writer = writer(capacity: 1)
    return writer.send(&batch)
  }
}
