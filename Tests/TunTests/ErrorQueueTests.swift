import Glibc
import Net
import SystemPackage
import Testing
import Tun

@Suite struct ErrorQueueTests {
  private static let here: [IPAddress] = [
    .v4(IPv4Address(10, 9, 0, 1)), .v6(IPv6Address(high: 0xFD00 << 48, low: 1)),
  ]
  private static let there: [IPAddress] = [
    .v4(IPv4Address(10, 9, 0, 2)), .v6(IPv6Address(high: 0xFD00 << 48, low: 2)),
  ]
  private static let loopbacks: [IPAddress] = [.v4(IPv4Address(127, 0, 0, 1)), .v6(.loopback)]

  private enum Source: UInt64 {
    case socket
  }

  private func makeSocket() throws -> UDPSocket {
    var options = UDPSocket.Options()
    options.reportsErrors = true
    return try UDPSocket(port: 0, options: options)
  }

  private func errors(_ family: AddressFamily, of socket: UDPSocket) -> [DatagramError] {
    let queue = ErrorQueue(capacity: 3)
    var errors: [DatagramError] = []
    while queue.drain(family, of: socket, { errors.append($0) }) {}
    return errors
  }

  /// The errors that wait, once there are any: the kernel takes its time with what comes by a device.
  private func arrivingErrors(_ family: AddressFamily, of socket: UDPSocket) throws -> [DatagramError] {
    var poller = try Poller<Source>()
    try poller.add(try #require(socket.descriptor(family)), as: .socket, for: [])
    try poller.wait(atMost: .seconds(10))
    return errors(family, of: socket)
  }

  @Test(.needsRoot, arguments: loopbacks)
  func anErrorNamesItsDatagramAndThePollerIsQuietAfterwards(address: IPAddress) throws {
    try inNetworkNamespace {
      let socket = try makeSocket()
      var poller = try Poller<Source>()
      try poller.add(try #require(socket.descriptor(address.family)), as: .socket)
      var closed: [Endpoint] = []
      for port in 1...7 {
        closed.append(Endpoint(address: address, port: UInt16(port)))
        #expect(socket.send([1].span.bytes, along: Path(remote: closed[closed.count - 1])).sent == 1)
      }
      try poller.wait(atMost: .zero)
      #expect(poller.events.map(\.hasErrors) == [true])
      let found = errors(address.family, of: socket)
      #expect(found.map(\.remote) == closed)
      for error in found {
        #expect(error.kind == .unreachable(.connectionRefused) && error.reporter == address)
      }
      try poller.wait(atMost: .zero)
      #expect(poller.events.isEmpty && errors(address.family, of: socket).isEmpty)
    }
  }

  @Test(.needsRoot, arguments: loopbacks)
  func pendingErrorsCostNoDatagramAndNoTrain(address: IPAddress) throws {
    try inNetworkNamespace {
      let socket = try makeSocket()
      let receiver = try UDPSocket(port: 0)
      let closed = Path(remote: Endpoint(address: address, port: 1))
      let open = Path(remote: Endpoint(address: address, port: receiver.port))
      var batch = PacketBatch(bufferCount: 32, bufferCapacity: 1500)
      var arrivals = PacketBatch(bufferCount: 32, bufferCapacity: 65535, slotsPerBuffer: 64)
      var writer = socket.writer()
      var reader = receiver.reader()
      for round in 0..<50 {
        batch.removeAll()
        // What is sent first makes an error before the next train of the same call is sent.
        for number in 0..<30 {
          batch.add(
            [UInt8](repeating: UInt8(number), count: 1000), to: number % 10 == 0 ? closed : open, .send)
        }
        let result = writer.send(&batch)
        #expect(result.sent == 30 && result.failed == 0 && result.unreachableSlots == [], "\(round)")
        #expect(reader.receive(into: &arrivals).count == 27)
        // Reads meet the errors as well.
        if round % 3 == 0 { _ = errors(address.family, of: socket) }
      }
      #expect(socket.offloads(address.family).segmentation)
    }
  }

  /// A network behind a TUN device, whose router says what the test wants about each packet.
  private func behindRouter(_ body: (UDPSocket, TunDevice) throws -> Void) throws {
    let device = try TunDevice(named: try #require(InterfaceName("tunt0")))
    var netlink = try Netlink()
    var monitor = try NetlinkMonitor()
    try netlink.apply(.generateNoAddresses(device.index))
    try netlink.apply(.setUp(device.index, true))
    for address in Self.here {
      let length: UInt8 = address.family == .v4 ? 24 : 64
      try netlink.apply(
        .addAddress(InterfaceAddress(address, prefixLength: length, interface: device.index)))
    }
    // The kernel takes its time with IPv6 addresses: packets to one are ours when it has a route.
    var waiting = Set(Self.here.map { IPPrefix(host: $0) })
    var poller = try Poller<Source>()
    try poller.add(monitor.descriptor, as: .socket)
    while !waiting.isEmpty {
      try poller.wait(atMost: .seconds(10))
      try #require(!poller.events.isEmpty, "no route to \(waiting)")
      while let events = try monitor.next() {
        for case .change(.route(let route)) in events { waiting.remove(route.destination) }
      }
    }
    try body(try makeSocket(), device)
  }

  @Test(.needsRoot, arguments: [0, 1])
  func aProbeGoesWholeOrNotAtAllAndTheRestAsEver(family: Int) throws {
    try inNetworkNamespace {
      try behindRouter { socket, device in
        var netlink = try Netlink()
        try netlink.apply(.setMTU(device.index, 1400))
        let path = Path(remote: Endpoint(address: Self.there[family], port: 9))
        var reader = device.reader()
        var tun = device.writer()
        var writer = socket.writer()
        var batch = PacketBatch(bufferCount: 1, bufferCapacity: 65535, slotsPerBuffer: 64)
        let overhead = family == 0 ? 28 : 48

        /// Sends a datagram that makes an IP packet of so many octets; returns the packets that left.
        func send(_ length: Int, whole: Bool) -> [[UInt8]] {
          batch.removeAll()
          batch.add([UInt8](repeating: 7, count: length - overhead), to: path, .send)
          let result = whole ? writer.probe(&batch, mayFragment: false) : writer.send(&batch)
          #expect(result.sent == 1 || (whole && result.error == .messageTooLong), "\(length)")
          return sent(&reader, &batch)
        }
        func hasDF(_ packet: [UInt8]) -> Bool { family == 1 || packet[6] & 0x40 != 0 }

        let first = send(1400, whole: true)
        #expect(first.map(\.count) == [1400] && first.allSatisfy(hasDF))
        #expect(send(1401, whole: true) == [])
        var remote = path.remote
        if family == 0 { remote.port = 0 }
        let tooBig = DatagramError(remote: remote, kind: .tooBig(mtu: 1400), reporter: nil)
        #expect(Set(errors(remote.address.family, of: socket)) == [tooBig])
        #expect(send(1401, whole: false).count == 2)
        if family == 0 { #expect(send(1400, whole: false).map(hasDF) == [false]) }

        // What a router says does not shorten the next probe.
        let probe = send(1400, whole: true)
        batch.removeAll()
        let type: (UInt8, UInt8) = family == 0 ? (3, 4) : (2, 0)
        batch.add(report(type.0, type.1, 1300, about: try #require(probe.first)), .deliver)
        #expect(tun.write(&batch).written == 1)
        #expect(
          try arrivingErrors(path.remote.address.family, of: socket).map(\.kind) == [.tooBig(mtu: 1300)])
        #expect(send(1400, whole: true).map(\.count) == [1400])
        #expect(send(1400, whole: false).count == (family == 0 ? 1 : 2))
      }
    }
  }

  @Test(.needsRoot) func aProbeLeavesFromItsOwnAddressOrNotAtAll() throws {
    try inNetworkNamespace {
      let socket = try makeSocket()
      let remote = Endpoint(address: Self.loopbacks[0], port: socket.port)
      var batch = PacketBatch(bufferCount: 1, bufferCapacity: 1500)
      var writer = socket.writer()
      for isWhole in [true, false] {
        batch.removeAll()
        batch.add([1], to: Path(remote: remote, local: Self.here[0], interface: 1), .send)
        let result = writer.probe(&batch, mayFragment: !isWhole)
        #expect(result.failed == 1 && result.unreachableSlots == [0] && result.firstStaleSlot == nil)
        #expect(writer.send(&batch).sent == 1)
      }
    }
  }

  /// The packets with our datagrams that wait at the device; the kernel sends others of its own.
  private func sent(_ reader: inout TunReader, _ batch: inout PacketBatch) -> [[UInt8]] {
    var packets: [[UInt8]] = []
    while reader.read(into: &batch).count > 0 { packets += (0..<batch.count).map { batch.octets($0) } }
    return packets.filter { [17, 44].contains($0[0] >> 4 == 4 ? $0[9] : $0[6]) }
  }

  /// The ICMP error of a router about a packet.
  private func report(_ type: UInt8, _ code: UInt8, _ value: UInt32, about packet: [UInt8]) -> [UInt8] {
    func big16(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xFF)] }
    let number = big16(UInt16(value >> 16)) + big16(UInt16(value & 0xFFFF))
    var message = [type, code, 0, 0] + number + packet.prefix(48)
    if packet[0] >> 4 == 4 {
      message.replaceSubrange(2..<4, with: big16(Traffic.checksum(message)))
      var header: [UInt8] = [0x45, 0] + big16(UInt16(20 + message.count)) + [0, 0, 0, 0, 64, 1, 0, 0]
      header += packet[16..<20] + packet[12..<16]
      header.replaceSubrange(10..<12, with: big16(Traffic.checksum(header)))
      return header + message
    }
    let addresses = packet[24..<40] + packet[8..<24]
    message.replaceSubrange(
      2..<4,
      with: big16(Traffic.checksum(addresses + [0, 0, 0, UInt8(message.count), 0, 0, 0, 58] + message)))
    return [0x60, 0, 0, 0] + big16(UInt16(message.count)) + [58, 64] + addresses + message
  }

  @Test(.needsRoot, arguments: [0, 1])
  func whatRoutersSayIsHeardAndToldApart(family: Int) throws {
    try inNetworkNamespace {
      try behindRouter { socket, device in
        let remote = Endpoint(address: Self.there[family], port: 9)
        let cases: [(type: UInt8, code: UInt8, value: UInt32, kind: DatagramError.Kind?)] =
          family == 0
          ? [
            (3, 0, 0, .unreachable(.networkUnreachable)), (3, 1, 0, .unreachable(.noRouteToHost)),
            (3, 3, 0, .unreachable(.connectionRefused)), (3, 4, 1300, .tooBig(mtu: 1300)),
            (3, 4, 0, .tooBig(mtu: 0)), (3, 13, 0, .unreachable(.noRouteToHost)), (12, 0, 0, nil),
          ]
          : [
            (1, 0, 0, .unreachable(.networkUnreachable)), (1, 1, 0, .unreachable(.permissionDenied)),
            (1, 3, 0, .unreachable(.noRouteToHost)), (1, 4, 0, .unreachable(.connectionRefused)),
            (2, 0, 1300, .tooBig(mtu: 1300)), (4, 0, 0, nil),
          ]
        var reader = device.reader()
        var writer = device.writer()
        var batch = PacketBatch(bufferCount: 1, bufferCapacity: 65535, slotsPerBuffer: 64)
        for (type, code, value, kind) in cases {
          #expect(socket.send([1, 2, 3].span.bytes, along: Path(remote: remote)).sent == 1)
          let packet = try #require(sent(&reader, &batch).first)
          batch.removeAll()
          batch.add(report(type, code, value, about: packet), .deliver)
          #expect(writer.write(&batch).written == 1)
          let expected = kind.map {
            [DatagramError(remote: remote, kind: $0, reporter: Self.there[family])]
          }
          #expect(try arrivingErrors(remote.address.family, of: socket) == expected ?? [], "\(type) \(code)")
        }
        // The next datagram meets the last error, and goes all the same.
        #expect(socket.send([1].span.bytes, along: Path(remote: remote)).sent == 1)
      }
    }
  }
}
