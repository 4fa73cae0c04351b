import CLinux
import Glibc
import Net
import SystemPackage
import Testing
import Tun

@Suite struct UDPSocketTests {
  private static let loopbacks: [IPAddress] = [.v4(IPv4Address(127, 0, 0, 1)), .v6(.loopback)]

  /// Sends what waits in `batch` and receives it on the other socket.
  private func exchange(
    _ batch: inout PacketBatch, from sender: UDPSocket, to receiver: UDPSocket, expecting count: Int
  ) throws -> DatagramWriter.Result {
    var writer = sender.writer(capacity: 3)
    let result = writer.send(&batch)
    var reader = receiver.reader()
    let received = reader.receive(into: &batch).count
    try #require(received == count)
    return result
  }

  @Test(.needsRoot, arguments: loopbacks)
  func aBatchArrivesInOrderWithPathAndECN(address: IPAddress) throws {
    try inNetworkNamespace {
      let a = try UDPSocket(port: 0)
      let b = try UDPSocket(port: 0)
      #expect(a.port != b.port && a.port != 0)
      var batch = PacketBatch(bufferCount: 8, bufferCapacity: 2000)
      let path = Path(remote: Endpoint(address: address, port: b.port))
      for index in 0..<7 {
        let slot = batch.add([UInt8](repeating: UInt8(index), count: index * 200), to: path, .send)
        batch[slot].ecn = UInt8(index & 3)
      }
      batch[3].disposition = .done
      batch[4].dscp = 0x88
      let result = try exchange(&batch, from: a, to: b, expecting: 6)
      #expect(result.sent == 6 && result.failed == 0 && result.error == nil && result.firstStaleSlot == nil)
      var seen: [UInt8] = []
      for index in 0..<batch.count {
        let number = Int(batch[index].length) / 200
        seen.append(UInt8(number))
        #expect(batch.octets(index) == [UInt8](repeating: UInt8(number), count: number * 200))
        #expect(batch[index].ecn == UInt8(number & 3))
        let path = batch.path(batch[index].path)
        #expect(path.remote == Endpoint(address: address, port: a.port))
        #expect(path.local == address && path.interface == 1)
      }
      #expect(seen == [0, 1, 2, 4, 5, 6])

      // Back along the path it came, from the address it went to.
      for index in 0..<batch.count { batch[index].disposition = .send }
      let back = try exchange(&batch, from: b, to: a, expecting: 6)
      #expect(back.sent == 6)
      #expect(batch.path(batch[5].path).remote == Endpoint(address: address, port: b.port))
    }
  }

  @Test(.needsRoot) func anAddressThatIsOursNoLongerIsForgottenAndTheDatagramStillGoes() throws {
    try inNetworkNamespace {
      var netlink = try Netlink()
      let mine = IPAddress.v4(IPv4Address(10, 1, 2, 3))
      let mine6 = IPAddress.v6(try #require(IPv6Address("fd00::3")))
      let held = [
        InterfaceAddress(mine, prefixLength: 32, interface: 1),
        InterfaceAddress(mine6, prefixLength: 128, interface: 1),
      ]
      for address in held { try netlink.apply(.addAddress(address)) }
      let socket = try UDPSocket(port: 0)
      var batch = PacketBatch(bufferCount: 8, bufferCapacity: 2000)
      for (local, loopback) in [(mine, Self.loopbacks[0]), (mine6, Self.loopbacks[1])] {
        let remote = Endpoint(address: loopback, port: socket.port)
        batch.removeAll()
        batch.add([1], to: Path(remote: remote, local: local, interface: 1), .send)
        let result = try exchange(&batch, from: socket, to: socket, expecting: 1)
        #expect(result.firstStaleSlot == nil)
        #expect(batch.path(batch[0].path).remote.address == local)
      }
      for address in held { try netlink.apply(.removeAddress(address)) }
      for (local, loopback) in [(mine, Self.loopbacks[0]), (mine6, Self.loopbacks[1])] {
        let remote = Endpoint(address: loopback, port: socket.port)
        batch.removeAll()
        batch.add([1], to: Path(remote: remote), .send)
        batch.add([2], to: Path(remote: remote, local: local, interface: 1), .send)
        batch.add([3], to: Path(remote: remote, local: local, interface: 1), .send)
        let result = try exchange(&batch, from: socket, to: socket, expecting: 3)
        #expect(result.sent == 3 && result.failed == 0 && result.firstStaleSlot == 1)
        #expect((0..<3).map { batch.octets($0) } == [[1], [2], [3]])
        #expect(batch.path(batch[2].path).remote.address == loopback)
      }
    }
  }

  @Test(.needsRoot) func oneBadPeerDoesNotStopTheOthers() throws {
    try inNetworkNamespace {
      let socket = try UDPSocket(port: 0)
      let good = Path(remote: Endpoint(address: Self.loopbacks[0], port: socket.port))
      let bad = Path(remote: Endpoint(address: .v4(IPv4Address(192, 0, 2, 1)), port: 9))
      let bad6 = Path(remote: Endpoint(address: .v6(IPv6Address(high: 0x2001_0DB8 << 32, low: 1)), port: 9))
      var batch = PacketBatch(bufferCount: 8, bufferCapacity: 2000)
      batch.add([1], to: good, .send)
      batch.add([2], to: bad6, .send)
      batch.add([3], to: bad, .send)
      batch.add([4], to: good, .send)
      batch.add([5], .send)
      var writer = socket.writer()
      let result = writer.send(&batch)
      #expect(result.sent == 2 && result.failed == 3 && result.firstFailedSlot == 1)
      #expect(result.unreachableSlots == [2, 1])
      #expect((0..<5).map { batch[$0].disposition == .done } == [true, false, false, true, false])
      #expect(
        socket.send([UInt8](repeating: 0, count: 100).span.bytes, along: bad).error == .networkUnreachable)
    }
  }

  @Test(.needsRoot) func everyWayOfHavingNoWayNamesItsPath() throws {
    try inNetworkNamespace {
      var netlink = try Netlink()
      let bound = InterfaceAddress(.v4(IPv4Address(10, 1, 2, 3)), prefixLength: 24, interface: 1)
      try netlink.apply(.addAddress(bound))
      let kinds: [(KernelRoute.Kind, Errno)] = [
        (.unreachable, .noRouteToHost), (.blackhole, .invalidArgument),
        (.other(UInt8(RTN_PROHIBIT)), .permissionDenied),
      ]
      let socket = try UDPSocket(port: 0)
      var writer = socket.writer()
      var batch = PacketBatch(bufferCount: 8, bufferCapacity: 2000)
      for (number, (kind, error)) in kinds.enumerated() {
        let remote = Endpoint(address: .v4(IPv4Address(192, 0, 2, UInt8(number))), port: 9)
        try netlink.apply(.addRoute(KernelRoute(to: IPPrefix(host: remote.address), kind: kind)))
        // The same with and without an address of ours, and each more than once.
        let paths = [Path(remote: remote), Path(remote: remote, local: bound.address)]
        batch.removeAll()
        for path in paths + paths {
          batch.add([1, 2], to: path, .send)
          batch.add([3, 4], to: path, .send)
        }
        let result = writer.send(&batch)
        #expect(result.failed == 8 && result.error == error && result.unreachableSlots == [0, 2], "\(kind)")
      }
    }
  }

  @Test(.needsRoot, arguments: loopbacks)
  func tooLongDatagramsAreDroppedAndCountedAndTheNextOnesArrive(address: IPAddress) throws {
    try inNetworkNamespace {
      let socket = try UDPSocket(port: 0)
      let path = Path(remote: Endpoint(address: address, port: socket.port))
      for count in [10, 65_507, 2001, 0, 2000] {
        let result = socket.send(
          [UInt8](repeating: 5, count: count).span.bytes, along: path, trafficClass: 0x88 | 2)
        #expect(result.sent == 1)
      }
      var reader = socket.reader()
      var batch = PacketBatch(bufferCount: 8, bufferCapacity: 2000)
      let result = reader.receive(into: &batch)
      #expect(result.count == 3 && result.truncated == 2 && result.failures == 0 && !result.isFull)
      #expect((0..<batch.count).map { batch[$0].length } == [10, 0, 2000])
      #expect((0..<batch.count).map { batch[$0].ecn } == [2, 2, 2])
      #expect(reader.receive(into: &batch) == DatagramReader.Result())
    }
  }

  @Test(.needsRoot) func aFullBatchLeavesTheRestForTheNextCall() throws {
    try inNetworkNamespace {
      let socket = try UDPSocket(port: 0)
      for address in Self.loopbacks {
        let path = Path(remote: Endpoint(address: address, port: socket.port))
        for number in 0..<5 { #expect(socket.send([UInt8(number)].span.bytes, along: path).sent == 1) }
      }
      var reader = socket.reader(capacity: 3)
      var batch = PacketBatch(bufferCount: 4, bufferCapacity: 2000)
      var count = 0
      for round in 0..<3 {
        let result = reader.receive(into: &batch)
        count += result.count
        #expect(result.isFull == (round < 2))
      }
      #expect(count == 10)
    }
  }

  @Test(.needsRoot) func aPortInUseIsAnErrorOnEitherFamilyAndForSharedSocketsToo() throws {
    try inNetworkNamespace {
      let first = try UDPSocket(port: 0)
      #expect(throws: BindError.portInUse(first.port)) { try UDPSocket(port: first.port) }
      #expect(throws: BindError.portInUse(first.port)) { try UDPSocket.group(lanes: 2, port: first.port) }
      let group = try UDPSocket.group(lanes: 3, port: 0)
      #expect(Set(group.map(\.port)).count == 1 && group.count == 3)
      #expect(throws: BindError.portInUse(group[0].port)) {
        try UDPSocket.group(lanes: 2, port: group[0].port)
      }
      #expect("\(BindError.portInUse(51820))" == "UDP port 51820 is in use")
    }
  }

  @Test(.needsRoot) func theMarkCanBeSetAndChanged() throws {
    try inNetworkNamespace {
      var options = UDPSocket.Options()
      options.firewallMark = 0xCA6C
      let socket = try UDPSocket(port: 0, options: options)
      func mark(_ family: AddressFamily) throws -> UInt32 {
        var value: UInt32 = 0
        var length = socklen_t(4)
        let descriptor = try #require(socket.descriptor(family))
        #expect(getsockopt(descriptor.rawValue, SOL_SOCKET, SO_MARK, &value, &length) == 0)
        return value
      }
      for family in AddressFamily.allCases { #expect(try mark(family) == 0xCA6C) }
      try socket.setFirewallMark(0)
      for family in AddressFamily.allCases { #expect(try mark(family) == 0) }
    }
  }

  @Test(.needsRoot) func icmpErrorsAreCountedAndTheSocketGoesOn() throws {
    try inNetworkNamespace {
      var options = UDPSocket.Options()
      options.reportsErrors = true
      let socket = try UDPSocket(port: 0, options: options)
      let closed = Path(remote: Endpoint(address: Self.loopbacks[0], port: socket.port &+ 1))
      let path = Path(remote: Endpoint(address: Self.loopbacks[0], port: socket.port))
      #expect(socket.send([1].span.bytes, along: closed).sent == 1)
      var reader = socket.reader()
      var batch = PacketBatch(bufferCount: 4, bufferCapacity: 2000)
      let refused = reader.receive(into: &batch)
      #expect(refused.count == 0 && refused.failures == 1 && refused.error == .connectionRefused)

      #expect(socket.send([1].span.bytes, along: closed).sent == 1)
      batch.removeAll()
      batch.add([2], to: path, .send)
      let sent = try exchange(&batch, from: socket, to: socket, expecting: 1)
      #expect(sent.sent == 1 && sent.failed == 0)
    }
  }

  @Test(.needsRoot) func readersAndWritersMoveToANewPort() throws {
    try inNetworkNamespace {
      let old = try UDPSocket(port: 0)
      var reader = old.reader()
      var writer = old.writer()
      let new = try UDPSocket(port: 0)
      reader.move(to: new)
      writer.move(to: new)
      var batch = PacketBatch(bufferCount: 4, bufferCapacity: 2000)
      batch.add([1], to: Path(remote: Endpoint(address: Self.loopbacks[1], port: new.port)), .send)
      #expect(writer.send(&batch).sent == 1)
      #expect(reader.receive(into: &batch).count == 1)
      #expect(batch.path(batch[0].path).remote.port == new.port)
    }
  }
}
