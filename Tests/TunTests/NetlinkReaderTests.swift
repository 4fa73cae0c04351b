import CLinux
import Glibc
import Net
import SystemPackage
import Testing
import Tun

/// The reader against what the kernel said, and against what it would never say.
@Suite struct NetlinkReaderTests {
  /// The datagrams of a dump of this kernel's own, for this machine as it is.
  private func record(_ type: Int, bodyLength: Int) throws -> [[UInt8]] {
    let descriptor = socket(AF_NETLINK, Int32(SOCK_RAW.rawValue), NETLINK_ROUTE)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    var header = nlmsghdr()
    header.nlmsg_len = UInt32(MemoryLayout<nlmsghdr>.size + bodyLength)
    header.nlmsg_type = UInt16(type)
    header.nlmsg_flags = UInt16(NLM_F_REQUEST | NLM_F_DUMP)
    var request = withUnsafeBytes(of: header) { Array($0) }
    request.append(contentsOf: repeatElement(0, count: bodyLength))
    try #require(send(descriptor, request, request.count, 0) == request.count)
    var datagrams: [[UInt8]] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      try #require(count > 0)
      datagrams.append(Array(buffer[..<count]))
      if contents(datagrams[datagrams.count - 1]).contains(.done(nil)) { return datagrams }
    }
  }

  private func contents(_ datagram: [UInt8]) -> [NetlinkMessage.Content] {
    var reader = NetlinkReader(datagram.span.bytes)
    var contents: [NetlinkMessage.Content] = []
    while let message = reader.next() { contents.append(message.content) }
    return contents
  }

  private func recordAll() throws -> [[UInt8]] {
    try record(RTM_GETLINK, bodyLength: 16) + record(RTM_GETADDR, bodyLength: 8)
      + record(RTM_GETROUTE, bodyLength: 12) + record(RTM_GETRULE, bodyLength: 12)
  }

  @Test func dumpsOfThisKernelAreUnderstood() throws {
    let all = try recordAll().flatMap { contents($0) }
    #expect(
      all.contains { if case .link(let link) = $0 { link.index == 1 && link.name == "lo" } else { false } })
    #expect(all.contains { if case .route = $0 { true } else { false } })
    #expect(all.contains { if case .rule = $0 { true } else { false } })
  }

  @Test func aRouteWithSeveralNextHopsLeadsToAllTheirInterfaces() {
    var hops: [UInt8] = []
    for interface in [7, 9, 8] as [Int32] {
      let hop = rtnexthop(rtnh_len: 16, rtnh_flags: 0, rtnh_hops: 0, rtnh_ifindex: interface)
      // An attribute of four octets, as a gateway has it, lies behind each.
      hops += withUnsafeBytes(of: hop) { Array($0) } + [8, 0, UInt8(RTA_GATEWAY.rawValue), 0, 10, 0, 0, 1]
    }
    func datagram(_ hops: [UInt8]) -> [UInt8] {
      var message = rtmsg()
      message.rtm_family = UInt8(AF_INET)
      message.rtm_type = UInt8(RTN_UNICAST)
      let attribute = [UInt8(4 + hops.count), 0, UInt8(RTA_MULTIPATH.rawValue), 0] + hops
      var header = nlmsghdr()
      header.nlmsg_type = UInt16(RTM_NEWROUTE)
      header.nlmsg_len = UInt32(MemoryLayout<nlmsghdr>.size + MemoryLayout<rtmsg>.size + attribute.count)
      return withUnsafeBytes(of: header) { Array($0) } + withUnsafeBytes(of: message) { Array($0) }
        + attribute
    }
    func interfaces(_ hops: [UInt8]) -> [UInt32]? {
      guard case .route(let route)? = contents(datagram(hops)).first else { return nil }
      return route.interfaces
    }
    #expect(interfaces(hops) == [7, 9, 8])
    for count in 0..<hops.count { #expect(interfaces(Array(hops[..<count]))?.count ?? 4 <= 3) }
    // A length of nothing is the end.
    hops.replaceSubrange(16..<18, with: [0, 0])
    #expect(interfaces(hops) == [7])
  }

  @Test func everyTruncationEnds() throws {
    for datagram in try recordAll() {
      let whole = contents(datagram).count
      for count in 0..<min(datagram.count, 4096) {
        #expect(contents(Array(datagram[..<count])).count <= whole)
      }
    }
  }

  @Test(arguments: 1...8) func everyDamageIsSurvived(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let datagrams = try recordAll()
    for _ in 0..<2000 {
      guard var datagram = datagrams.randomElement(using: &random) else { continue }
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        let offset = Int.random(in: 0..<min(datagram.count, 512), using: &random)
        datagram[offset] =
          [0, 1, 0xFF, UInt8.random(in: 0...255, using: &random)][Int.random(in: 0...3, using: &random)]
      }
      // A message has at least its header, so there cannot be more than this.
      #expect(contents(datagram).count <= datagram.count / 16, "seed \(seed)")
    }
  }

  @Test func lengthsThatLieEndTheWalk() {
    for length in [0, 1, 15, 17, UInt32.max] {
      var datagram = [UInt8](repeating: 0, count: 16)
      withUnsafeBytes(of: length) { datagram.replaceSubrange(0..<4, with: $0) }
      #expect(contents(datagram) == [])
    }
  }

  @Test func anErrorCarriesTheKernelsWords() {
    // nlmsghdr{type NLMSG_ERROR, flags CAPPED|ACK_TLVS}, nlmsgerr{-EPERM, header}, NLMSGERR_ATTR_MSG "no"
    var datagram: [UInt8] = [44, 0, 0, 0, 2, 0, 0, 3, 1, 0, 0, 0, 0, 0, 0, 0]
    datagram += [0xFF, 0xFF, 0xFF, 0xFF] + [UInt8](repeating: 0, count: 16) + [7, 0, 1, 0, 0x6E, 0x6F, 0, 0]
    var error = NetlinkError(.notPermitted)
    error.text = "no"
    #expect(contents(datagram) == [.acknowledgement(error)])
    #expect("\(error)".hasPrefix("no ("))
  }
}
