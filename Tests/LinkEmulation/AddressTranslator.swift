public import Net

/// A network address translator inside a link: end a is its private side.
///
/// It translates UDP and ICMP echo over IPv4, and ICMP errors about them on their way in. Other IPv4 packets and fragments
/// do not pass; ARP, IPv6 and everything else does, as over a bridge.
public struct AddressTranslator: Sendable {
  /// Who stands for whom.
  public var table = NATTable()
  /// The address that stands for all inside, for which it answers ARP; `nil` leaves addresses as they are and changes ports.
  public var address: IPv4Address?

  /// What becomes of a frame.
  enum Outcome: Equatable {
    /// It goes on.
    case pass(EthernetFrame)
    /// It goes no further, and this one goes back.
    case answer(EthernetFrame)
    /// It goes no further.
    case drop
  }

  /// The hardware address in ARP answers: a locally administered one.
  static let hardwareAddress: [UInt8] = [0x02, 0, 0, 0, 0, 0x4E]

  /// A translator without mappings.
  public init() {}

  /// Translates a frame that comes from end a.
  mutating func translateOutbound(_ frame: EthernetFrame, at now: Instant) -> Outcome {
    guard frame.type == EthernetFrame.EtherType.ipv4 else { return .pass(frame) }
    guard let header = frame.ipHeader, let fields = TranslatedFields(frame.packet, header, naming: .source),
      case .v4(let inside) = header.source, !header.destination.isMulticast
    else { return .drop }
    let remote = Endpoint(address: header.destination, port: fields.otherPort)
    let party = NATTable.Party(fields.transport, Endpoint(address: header.source, port: fields.port))
    let port = table.port(for: party, withHardwareAddress: Array(frame.source), to: remote, at: now)
    guard let port else { return .drop }
    var frame = frame
    frame.changePacket { fields.rewrite(&$0, address: address ?? inside, port: port) }
    return .pass(frame)
  }

  /// Translates a frame that comes from end b.
  func translateInbound(_ frame: EthernetFrame, at now: Instant) -> Outcome {
    if frame.type == EthernetFrame.EtherType.arp, let answer = answer(toARP: frame) { return .answer(answer) }
    guard frame.type == EthernetFrame.EtherType.ipv4 else { return .pass(frame) }
    guard let header = frame.ipHeader else { return .drop }
    if let fields = TranslatedFields(frame.packet, header, naming: .destination) {
      let remote = Endpoint(address: header.source, port: fields.otherPort)
      return deliver(frame, header.destination, fields, from: remote, at: now) { packet, address, port in
        fields.rewrite(&packet, address: address, port: port)
      }
    }
    return translateError(frame, header, at: now)
  }

  /// Passes the frame to the one who is meant; `rewrite` gets the address and port inside.
  private func deliver(
    _ frame: EthernetFrame, _ destination: IPAddress, _ fields: TranslatedFields, from remote: Endpoint,
    at now: Instant, rewrite: (inout MutableRawSpan, IPv4Address, UInt16) -> Void
  ) -> Outcome {
    let insider = table.insider(behind: fields.port, of: fields.transport, from: remote, at: now)
    guard let insider, case .v4(let inside) = insider.party.endpoint.address,
      destination == .v4(address ?? inside)
    else { return .drop }
    var frame = frame
    frame.destination = insider.hardwareAddress[...]
    frame.changePacket { rewrite(&$0, inside, insider.party.endpoint.port) }
    return .pass(frame)
  }

  /// An ICMP error quotes a packet that went out, in the form it had outside.
  private func translateError(_ frame: EthernetFrame, _ header: IPHeader, at now: Instant) -> Outcome {
    let start = header.headerLength
    let quote = start + 8
    guard header.protocolNumber == 1, !header.isLaterFragment, header.totalLength >= quote + 28,
      [3, 11, 12].contains(frame.packet.byte(start)), frame.packet.byte(quote) == 0x45
    else { return .drop }
    let quoted = frame.packet.extracting(quote..<header.totalLength)
    // The quote is cut, so its length field says more than is there.
    let destination = IPAddress.v4(IPv4Address(bits: quoted.big32(16)))
    let fields = TranslatedFields(quoted, protocolNumber: quoted.byte(9), at: 20, naming: .source)
    guard let fields else { return .drop }
    let remote = Endpoint(address: destination, port: fields.otherPort)
    return deliver(frame, header.destination, fields, from: remote, at: now) { packet, address, port in
      packet.setIPv4(address: address, at: 16)
      do {
        var quoted = packet._mutatingExtracting(quote..<header.totalLength)
        fields.rewrite(&quoted, address: address, port: port)
      }
      packet.set(big16: 0, at: start + 2)
      var checksum = Checksum()
      checksum.add(packet.bytes.extracting(start..<header.totalLength))
      packet.set(big16: checksum.value, at: start + 2)
    }
  }

  /// RFC 826: `nil` if the frame does not ask for our address.
  private func answer(toARP frame: EthernetFrame) -> EthernetFrame? {
    let request = frame.packet
    guard let address, request.byteCount >= 28, request.big16(6) == 1, request.big32(24) == address.bits
    else { return nil }
    var reply = ByteWriter()
    reply.append(big64: 0x0001_0800_0604_0002)  // Ethernet, IPv4, their lengths, reply
    reply.append(contentsOf: Self.hardwareAddress)
    reply.append(big32: address.bits)
    reply.append(contentsOf: frame.source)
    reply.append(big32: request.big32(14))
    var answer = EthernetFrame(answering: frame, carrying: reply.bytes)
    answer.source = Self.hardwareAddress[...]
    return answer
  }
}
