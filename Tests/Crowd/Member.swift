import Mesh
import Net
import Simulation
import SystemPackage
import Tun

/// One node of the crowd: the daemon of the simulation, with a socket of its own.
final class Member {
  /// When its control thread would be due.
  private(set) var deadline = Instant.distantFuture

  private let daemon: SimulatedDaemon
  private let socket: UDPSocket
  private var reader: DatagramReader
  private var writer: DatagramWriter
  private var outgoing = PacketBatch(bufferCount: 1, bufferCapacity: 2048)

  /// Starts a node that has no past.
  init(_ configuration: Configuration) throws {
    var options = UDPSocket.Options()
    options.usesOffloads = false
    socket = try UDPSocket(port: configuration.interface.listenPort, options: options)
    reader = socket.reader(capacity: 16)
    writer = socket.writer(capacity: 1)
    let clock = SystemClock()
    let now = clock.now
    daemon = SimulatedDaemon(
      state: nil, epoch: clock.wallNanoseconds - now.nanoseconds,
      random: SplitMix64(seed: UInt64(configuration.interface.listenPort)))
    daemon.handle(.configure(configuration), at: now)
    settle(at: now)
  }

  /// The descriptor of one family, to watch for reading.
  func descriptor(_ family: AddressFamily) -> FileDescriptor? { socket.descriptor(family) }

  /// Takes the datagrams that wait; `batch` is anybody's.
  func receive(by batch: inout PacketBatch, at now: Instant) {
    _ = reader.receive(into: &batch)
    for index in 0..<batch.count {
      let path = batch.path(batch[index].path)
      daemon.receive(batch.bytes(index).octets, along: path, ecn: batch[index].ecn, at: now)
    }
    settle(at: now)
  }

  /// Does what is due.
  func turn(at now: Instant) {
    deadline = .distantFuture
    daemon.turn(at: now)
    settle(at: now)
  }

  private func settle(at now: Instant) {
    let effects = daemon.takeEffects()
    for departure in effects.departures {
      outgoing.removeAll()
      guard let index = outgoing.append(copying: departure.octets.span.bytes) else { continue }
      outgoing[index].path = outgoing.append(departure.path)
      outgoing[index].disposition = .send
      // What is lost is lost, as on the way.
      _ = writer.send(&outgoing)
    }
    // A turn that is due already stays due.
    deadline = min(deadline, effects.isControlCalled ? now : daemon.node.nextDeadline)
  }
}
