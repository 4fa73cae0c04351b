internal import CLinux
internal import Glibc
public import SystemPackage

/// A network interface whose packets this process reads and writes.
///
/// The device lives until the last of its queues, readers and writers has gone. Its address, MTU and state are
/// `Netlink`'s business.
public final class TunDevice: Sendable {
  /// The interface's name, chosen by the kernel where the caller left it open.
  public let name: InterfaceName
  /// The interface's index.
  public let index: UInt32
  /// The queues; the kernel spreads flows over them.
  internal let queues: [TunQueue]

  /// The number of queues, one for each lane.
  public var queueCount: Int { queues.count }

  /// Makes the interface, or attaches to a persistent one of this name that nobody uses.
  ///
  /// In the name `wg%d` the kernel chooses the number. Each lane reads one queue; a device of more than one is a
  /// multi-queue device.
  public init(named name: InterfaceName, queueCount: Int = 1) throws(TunError) {
    precondition(queueCount > 0)
    let flags = IFF_TUN | IFF_NO_PI | (queueCount > 1 ? IFF_MULTI_QUEUE : 0)
    let first = try TunQueue.open(name, flags: flags)
    var queues = [first.queue]
    while queues.count < queueCount {
      queues.append(try TunQueue.open(first.name, flags: flags).queue)
    }
    self.name = first.name
    self.queues = queues
    index = try Self.index(of: first.name)
  }

  /// Takes over the open device that another program passed down (`WG_TUN_FD`).
  public init(adopting descriptor: consuming OwnedDescriptor) throws(TunError) {
    let adopted = try TunQueue.adopt(descriptor)
    name = adopted.name
    queues = [adopted.queue]
    index = try Self.index(of: adopted.name)
  }

  /// What passes unfinished or in one piece; chosen when the device was opened.
  public var offloads: TunOffloads { queues[0].offloads }

  /// The descriptor of one queue, to watch for reading.
  public func descriptor(ofQueue queue: Int = 0) -> FileDescriptor {
    queues[queue].descriptor.descriptor
  }

  /// The reading side of one queue, for one thread.
  public func reader(ofQueue queue: Int = 0) -> TunReader {
    TunReader(queues[queue])
  }

  /// A writing side of one queue.
  ///
  /// Several threads may have one each.
  public func writer(ofQueue queue: Int = 0) -> TunWriter {
    TunWriter(queues[queue])
  }

  private static func index(of name: InterfaceName) throws(TunError) -> UInt32 {
    guard let index = name.index else { throw .failed(.latest, in: "if_nametoindex") }
    return index
  }
}
