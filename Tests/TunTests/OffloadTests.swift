import CAllocations
import CLinux
import Glibc
import Net
import SystemPackage
import Testing

@testable import Tun

/// The offloads against the kernel of this machine.
@Suite struct OffloadTests {
  private static let here: [IPAddress] = [
    .v4(IPv4Address(10, 9, 0, 1)), .v6(IPv6Address(high: 0xFD00 << 48, low: 1)),
  ]
  private static let there: [IPAddress] = [
    .v4(IPv4Address(10, 9, 0, 2)), .v6(IPv6Address(high: 0xFD00 << 48, low: 2)),
  ]

  private func setUp(_ device: TunDevice) throws {
    var netlink = try Netlink()
    try netlink.apply(.generateNoAddresses(device.index))
    try netlink.apply(.setMTU(device.index, 1420))
    try netlink.apply(.setUp(device.index, true))
    for address in Self.here {
      let length: UInt8 = address.family == .v4 ? 24 : 64
      try netlink.apply(
        .addAddress(InterfaceAddress(address, prefixLength: length, interface: device.index)))
    }
  }

  private func makeDevice() throws -> TunDevice {
    let device = try TunDevice(named: try #require(InterfaceName("tunt0")))
    try setUp(device)
    return device
  }

  /// Sends every packet back with its addresses swapped, which leaves the checksums right: a host that connects to the
  /// other end of the tunnel finds itself there.
  private func reflect(_ batch: inout PacketBatch) {
    for index in 0..<batch.count {
      let isV6 = batch.bytes(index).byte(0) >> 4 == 6
      let (start, length) = isV6 ? (8, 16) : (12, 4)
      let octets = batch.octets(index)
      var packet = batch.mutableBytes(index)
      for offset in 0..<length {
        packet.set(byte: octets[start + length + offset], at: start + offset)
        packet.set(byte: octets[start + offset], at: start + length + offset)
      }
      batch[index].disposition = .deliver
    }
  }

  private func withAddress<R>(
    _ endpoint: Endpoint, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R
  ) -> R {
    var octets = [UInt8](repeating: 0, count: 32)
    let length = octets.withUnsafeMutableBytes { buffer in
      var span = buffer.mutableBytes
      return SocketAddress.write(endpoint, into: &span)
    }
    return octets.withUnsafeBytes {
      guard let address = $0.assumingMemoryBound(to: sockaddr.self).baseAddress else {
        preconditionFailure("an array of 32 octets has an address")
      }
      return body(address, socklen_t(length))
    }
  }

  @Test(.needsRoot, arguments: [0, 1])
  func aTransferThroughCutAndMergedPacketsArrivesWhole(family: Int) throws {
    try inNetworkNamespace {
      let device = try makeDevice()
      let domain = family == 0 ? AF_INET : AF_INET6
      let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
      let listener = OwnedDescriptor(socket(domain, type, 0))
      let client = OwnedDescriptor(socket(domain, type, 0))
      let bound = withAddress(Endpoint(address: Self.here[family], port: 4000)) {
        bind(listener.rawValue, $0, $1)
      }
      try #require(bound == 0 && listen(listener.rawValue, 1) == 0)
      _ = withAddress(Endpoint(address: Self.there[family], port: 4000)) { connect(client.rawValue, $0, $1) }

      var reader = device.reader()
      var writer = device.writer()
      var batch = PacketBatch(bufferCount: 1, bufferCapacity: 256 << 10, slotsPerBuffer: 128)
      var accepted: Int32 = -1
      defer { close(accepted) }
      var random = SplitMix64(seed: 1)
      let sent = (0..<(1 << 20)).map { _ in UInt8.random(in: 0...255, using: &random) }
      var received: [UInt8] = []
      var position = 0
      var largest = 0
      var room = [UInt8](repeating: 0, count: 1 << 18)
      var idle = 0
      while received.count < sent.count, idle < 500 {
        if position < sent.count {
          let count = sent[position...].withUnsafeBytes { write(client.rawValue, $0.baseAddress, $0.count) }
          position += max(count, 0)
        }
        let result = reader.read(into: &batch)
        try #require(result.malformed == 0 && result.error == nil)
        largest = max(largest, result.count)
        reflect(&batch)
        let written = writer.write(&batch)
        #expect(written.dropped == 0 && written.written == result.count)
        if accepted < 0 { accepted = accept(listener.rawValue, nil, nil) }
        let count = accepted < 0 ? 0 : recv(accepted, &room, room.count, Int32(MSG_DONTWAIT))
        if count > 0 { received += room[..<count] }
        // Nothing moved: wait for the device, as a lane does.
        guard result.count == 0, count <= 0 else { continue }
        var request = pollfd(fd: reader.descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        poll(&request, 1, 10)
        idle += 1
      }
      #expect(received == sent)
      if device.offloads.segments { #expect(largest > 10) }
    }
  }

  @Test(.needsRoot, arguments: [0, 1])
  func aTrainOfDatagramsIsCutAndComesBackAsTheSameDatagrams(family: Int) throws {
    try inNetworkNamespace {
      let device = try makeDevice()
      let socket = try UDPSocket(port: 0)
      var reader = device.reader()
      var writer = device.writer()
      var batch = PacketBatch(bufferCount: 1, bufferCapacity: 256 << 10, slotsPerBuffer: 128)
      var sending = PacketBatch(bufferCount: 64, bufferCapacity: 2000)
      let path = Path(remote: Endpoint(address: Self.there[family], port: socket.port))
      let datagrams = (0..<30).map { [UInt8](repeating: UInt8($0), count: $0 == 29 ? 7 : 900) }
      for datagram in datagrams { sending.add(datagram, to: path, .send) }
      var sender = socket.writer()
      #expect(sender.send(&sending).sent == 30)
      var back: [[UInt8]] = []
      var datagramReader = socket.reader()
      var receiving = PacketBatch(bufferCount: 32, bufferCapacity: 65535, slotsPerBuffer: 64)
      while reader.read(into: &batch).count > 0 {
        reflect(&batch)
        #expect(writer.write(&batch).dropped == 0)
        while datagramReader.receive(into: &receiving).count > 0 {
          for index in 0..<receiving.count { back.append(receiving.octets(index)) }
        }
      }
      #expect(back == datagrams)
    }
  }

  @Test(.needsRoot, arguments: [0, 1]) func aTrainPassesTheLoopbackAsFewMessages(family: Int) throws {
    try inNetworkNamespace {
      let socket = try UDPSocket(port: 0)
      let offloads = socket.offloads(family == 0 ? .v4 : .v6)
      guard offloads.segmentation, offloads.coalescing else { return }
      let loopback: IPAddress = family == 0 ? .v4(IPv4Address(127, 0, 0, 1)) : .v6(.loopback)
      let path = Path(remote: Endpoint(address: loopback, port: socket.port))
      var sending = PacketBatch(bufferCount: 200, bufferCapacity: 2000)
      // 150 of one size, of which the last is shorter, one with other ECN bits, then a longer one.
      for number in 0..<150 { sending.add([UInt8](repeating: UInt8(number), count: 1000), to: path, .send) }
      sending[149].length = 10
      let marked = sending.add([1], to: path, .send)
      sending[marked].ecn = 2
      sending.add([UInt8](repeating: 2, count: 1999), to: path, .send)
      var writer = socket.writer()
      let result = writer.send(&sending)
      #expect(result.sent == 152 && result.failed == 0)
      var reader = socket.reader()
      // Fewer buffers than datagrams: only as trains do they fit.
      var receiving = PacketBatch(bufferCount: 6, bufferCapacity: 65535, slotsPerBuffer: 64)
      let received = reader.receive(into: &receiving)
      #expect(received.count == 152 && received.truncated == 0)
      try #require(receiving.count == 152)
      for number in 0..<150 {
        #expect(
          receiving.octets(number) == [UInt8](repeating: UInt8(number), count: number == 149 ? 10 : 1000))
        #expect(receiving[number].ecn == 0)
      }
      #expect(receiving[150].ecn == 2 && receiving[151].length == 1999)
    }
  }

  @Test(.needsRoot, arguments: [0, 1])
  func aDeviceWithoutChecksumsLosesNothing(family: Int) throws {
    try inNetworkNamespace {
      // A TUN device without a virtio header computes nothing for us: before Linux 6.11 it refuses trains.
      let descriptor = OwnedDescriptor(open("/dev/net/tun", O_RDWR | O_NONBLOCK))
      var name = [CChar](repeating: 0, count: 16)
      for (index, character) in "tunt1".utf8.enumerated() { name[index] = CChar(character) }
      try #require(
        clinux_tun_set_interface(descriptor.rawValue, &name, Int16(IFF_TUN | IFF_NO_PI)) == 0)
      let device = try TunDevice(adopting: descriptor)
      #expect(device.offloads == TunOffloads())
      try setUp(device)
      let socket = try UDPSocket(port: 0)
      let path = Path(remote: Endpoint(address: Self.there[family], port: 9))
      var sending = PacketBatch(bufferCount: 20, bufferCapacity: 2000)
      for number in 0..<20 { sending.add([UInt8](repeating: UInt8(number), count: 500), to: path, .send) }
      var writer = socket.writer()
      let result = writer.send(&sending)
      #expect(result.sent == 20 && result.failed == 0)
      var reader = device.reader()
      var batch = PacketBatch(bufferCount: 64, bufferCapacity: 2000)
      #expect(reader.read(into: &batch).count >= 20)
      var numbers: [UInt8] = []
      for index in 0..<batch.count where batch[index].length >= 528 {
        numbers.append(batch.bytes(index).byte(Int(batch[index].length) - 1))
      }
      #expect(numbers == Array(0..<20))
    }
  }

  @Test(.needsRoot) func aTrainTooLargeForThePathGoesAsFragmentsOfEachDatagram() throws {
    try inNetworkNamespace {
      let device = try makeDevice()
      let socket = try UDPSocket(port: 0)
      let path = Path(remote: Endpoint(address: Self.there[0], port: 9))
      var sending = PacketBatch(bufferCount: 4, bufferCapacity: 4000)
      for _ in 0..<4 { sending.add([UInt8](repeating: 1, count: 2000), to: path, .send) }
      var writer = socket.writer()
      let result = writer.send(&sending)
      #expect(result.sent == 4 && result.failed == 0)
      #expect(socket.offloads(.v4) == UDPOffloads(segmentation: true, coalescing: true))
      var reader = device.reader()
      var batch = PacketBatch(bufferCount: 16, bufferCapacity: 2000)
      var fragments = 0
      _ = reader.read(into: &batch)
      for index in 0..<batch.count where batch.bytes(index).byte(0) == 0x45 { fragments += 1 }
      #expect(fragments == 8)
    }
  }

  @Test func aSteadyTurnAllocatesNothing() {
    var flow = Traffic.Flow()
    flow.flags = 0x18
    let payload = [UInt8](repeating: 7, count: 20_000)
    let whole = Traffic.packet(flow, payload: payload)
    let header = SegmentationTests.header(flow, size: 1000)
    var coalescing = Coalescing(TunOffloads(checksums: true, segments: true, datagrams: true))
    var batch = PacketBatch(bufferCount: 1, bufferCapacity: 64 << 10, slotsPerBuffer: 64)
    func turn() -> Int {
      batch.removeAll()
      guard let plan = Segmentation(header, of: whole.span.bytes) else { return 0 }
      for index in 0..<plan.count {
        guard let slot = batch.append(length: plan.length(index)) else { return 0 }
        var segment = batch.mutableBytes(slot)
        plan.write(index, of: whole.span.bytes, to: &segment)
        batch[slot].disposition = .deliver
      }
      coalescing.gather(&batch)
      return coalescing.count
    }
    #expect(turn() == 1)
    let before = CAllocations_count()
    var writes = 0
    for _ in 0..<10 { writes += turn() }
    let after = CAllocations_count()
    #expect(writes == 10)
    #expect(after == before)
  }
}
