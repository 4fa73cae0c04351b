import CLinux
import Glibc
import Net
import SystemPackage
import Testing
import Tun

/// An IPv4 packet of protocol 253 (for experiments, RFC 3692) with `payload`.
private func packet(from source: IPv4Address, to destination: IPv4Address, payload: [UInt8]) -> [UInt8] {
  var header = ByteWriter()
  header.append(contentsOf: [0x45, 0])
  header.append(big16: UInt16(20 + payload.count))
  header.append(contentsOf: [0, 0, 0, 0, 64, 253, 0, 0])
  header.append(.v4(source))
  header.append(.v4(destination))
  let octets = header.bytes
  var total: UInt32 = 0
  for offset in stride(from: 0, to: 20, by: 2) {
    total += UInt32(octets[offset]) << 8 + UInt32(octets[offset + 1])
  }
  while total > 0xFFFF { total = total >> 16 + total & 0xFFFF }
  header.set(big16: ~UInt16(total), at: 10)
  return header.bytes + payload
}

@Suite struct TunDeviceTests {
  private let here = IPv4Address(10, 9, 0, 1)
  private let there = IPv4Address(10, 9, 0, 2)

  private func makeDevice(_ name: String = "tunt0", queues: Int = 1) throws -> TunDevice {
    let device = try TunDevice(named: try #require(InterfaceName(name)), queueCount: queues)
    var netlink = try Netlink()
    try netlink.apply(.generateNoAddresses(device.index))
    try netlink.apply(.setUp(device.index, true))
    try netlink.apply(
      .addAddress(InterfaceAddress(.v4(here), prefixLength: 24, interface: device.index)))
    return device
  }

  /// A raw socket of protocol 253, bound to our end.
  private func rawSocket() throws -> OwnedDescriptor {
    let socket = OwnedDescriptor(socket(AF_INET, Int32(SOCK_RAW.rawValue), 253))
    try #require(socket.descriptor.rawValue >= 0)
    return socket
  }

  @Test(.needsRoot) func whatTheHostSendsIsReadAndWhatIsWrittenReachesTheHost() throws {
    try inNetworkNamespace {
      let device = try makeDevice()
      var reader = device.reader()
      var writer = device.writer()
      var batch = PacketBatch(bufferCount: 4, bufferCapacity: 2048)
      let raw = try rawSocket()
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = there.bits.bigEndian
      for count in 1...6 {
        let payload = [UInt8](repeating: UInt8(count), count: count * 100)
        let sent = withUnsafePointer(to: &address) {
          $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            sendto(
              raw.descriptor.rawValue, payload, payload.count, 0, $0,
              socklen_t(MemoryLayout<sockaddr_in>.size))
          }
        }
        #expect(sent == payload.count)
      }
      var lengths: [UInt32] = []
      let first = reader.read(into: &batch)
      #expect(first.count == 4 && first.isFull && !first.isGone && first.error == nil)
      for index in 0..<batch.count { lengths.append(batch[index].length) }
      #expect(reader.read(into: &batch).count == 2)
      for index in 0..<batch.count { lengths.append(batch[index].length) }
      #expect(lengths == [120, 220, 320, 420, 520, 620])
      #expect(reader.read(into: &batch) == TunReader.Result())

      batch.removeAll()
      let reply = packet(from: there, to: here, payload: [1, 2, 3])
      batch.add(reply, .deliver)
      batch.add(reply, .done)
      batch.add([0x00, 1, 2, 3], .deliver)
      let result = writer.write(&batch)
      #expect(result.written == 1 && result.dropped == 1 && result.error == .invalidArgument)
      for index in 0..<batch.count { #expect(batch[index].disposition == .done) }
      #expect(writer.write(reply.span.bytes).written == 1)
      var octets = [UInt8](repeating: 0, count: 100)
      for _ in 0..<2 {
        let count = recv(raw.descriptor.rawValue, &octets, 100, Int32(MSG_DONTWAIT))
        #expect(Array(octets[..<max(count, 0)]) == reply)
      }
    }
  }

  @Test(.needsRoot) func packetsForADownedDeviceAreCountedAndADeletedDeviceSaysSo() throws {
    try inNetworkNamespace {
      let device = try makeDevice()
      var reader = device.reader()
      var writer = device.writer()
      var batch = PacketBatch(bufferCount: 4, bufferCapacity: 2048)
      var netlink = try Netlink()
      try netlink.apply(.setUp(device.index, false))
      batch.add(packet(from: there, to: here, payload: []), .deliver)
      let down = writer.write(&batch)
      #expect(down.written == 0 && down.dropped == 1 && down.error == .ioError && !down.isGone)
      #expect(!reader.read(into: &batch).isGone)

      try netlink.apply(.removeLink(device.index))
      #expect(reader.read(into: &batch).isGone)
      batch.add(packet(from: there, to: here, payload: []), .deliver)
      #expect(writer.write(&batch).isGone)
    }
  }

  @Test(.needsRoot) func theKernelChoosesANumberAndTheDeviceGoesWithItsLastUser() throws {
    try inNetworkNamespace {
      let name = try #require(InterfaceName("tunt%d"))
      let first = try TunDevice(named: name)
      #expect(first.name.text == "tunt0" && first.name.index == first.index)
      do {
        let second = try TunDevice(named: name)
        #expect(second.name.text == "tunt1")
        let reader = second.reader()
        #expect(reader.descriptor.rawValue >= 0)
      }
      #expect(InterfaceName("tunt1")?.index == nil)
    }
  }

  @Test(.needsRoot) func severalQueuesMakeOneDevice() throws {
    try inNetworkNamespace {
      let device = try makeDevice(queues: 3)
      #expect(device.queueCount == 3)
      var descriptors: Set<Int32> = []
      for queue in 0..<3 { descriptors.insert(device.descriptor(ofQueue: queue).rawValue) }
      #expect(descriptors.count == 3)
      var writer = device.writer(ofQueue: 2)
      #expect(writer.write(packet(from: there, to: here, payload: []).span.bytes).written == 1)
    }
  }

  @Test(.needsRoot) func eachRefusalIsToldApart() throws {
    try inNetworkNamespace {
      let device = try makeDevice()
      #expect(throws: TunError.nameInUse("tunt0")) { try TunDevice(named: device.name) }
      #expect(throws: TunError.nameInUse("lo")) { try TunDevice(named: try #require(InterfaceName("lo"))) }
      #expect(throws: TunError.unsuitableDescriptor) {
        try TunDevice(adopting: OwnedDescriptor(open("/dev/null", O_RDWR)))
      }
    }
    for name in ["", ".", "..", "a/b", "a b", "a:b", "sixteen-octets--", "a%s", "%d%d"] {
      #expect(InterfaceName(name) == nil, "\(name)")
    }
    #expect(InterfaceName("fifteen-octets-") != nil)
  }

  @Test(.needsRoot, arguments: [false, true])
  func anInheritedDeviceIsAdoptedWithItsHeader(hasHeader: Bool) throws {
    try inNetworkNamespace {
      let inherited = OwnedDescriptor(open("/dev/net/tun", O_RDWR))
      var name: [CChar] = Array("tunt7".utf8.map { CChar($0) }) + Array(repeating: 0, count: 11)
      let flags = IFF_TUN | IFF_NO_PI | (hasHeader ? IFF_VNET_HDR : 0)
      #expect(clinux_tun_set_interface(inherited.descriptor.rawValue, &name, Int16(flags)) == 0)
      let device = try TunDevice(adopting: inherited)
      #expect(device.name.text == "tunt7" && device.queueCount == 1)
      var netlink = try Netlink()
      try netlink.apply(.setUp(device.index, true))
      try netlink.apply(
        .addAddress(InterfaceAddress(.v4(here), prefixLength: 24, interface: device.index)))
      let raw = try rawSocket()
      var reader = device.reader()
      var writer = device.writer()
      var batch = PacketBatch(bufferCount: 4, bufferCapacity: 2048)
      let incoming = packet(from: there, to: here, payload: [7])
      batch.add(incoming, .deliver)
      #expect(writer.write(&batch).written == 1)
      #expect(writer.write(incoming.span.bytes).written == 1)
      var octets = [UInt8](repeating: 0, count: 100)
      for _ in 0..<2 {
        let count = recv(raw.descriptor.rawValue, &octets, 100, Int32(MSG_DONTWAIT))
        #expect(Array(octets[..<max(count, 0)]) == incoming)
      }
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = there.bits.bigEndian
      _ = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          sendto(
            raw.descriptor.rawValue, [9] as [UInt8], 1, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      // Before our packet the kernel may send its own, for IPv6.
      var found = false
      while reader.read(into: &batch).count > 0 {
        for index in 0..<batch.count where batch.octets(index).first == 0x45 {
          found = batch.octets(index).last == 9 && batch[index].length == 21
        }
      }
      #expect(found)
    }
  }
}
