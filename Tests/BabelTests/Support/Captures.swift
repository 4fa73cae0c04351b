import Foundation
import Net
import Testing

@testable import Babel

/// The recorded packets of stock daemons in `Tests/Vectors/babel`.
enum Captures {
  static let directory = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Vectors/babel")

  static let names: [String] = {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: directory.path())) ?? []
    return files.filter { $0.hasSuffix(".pcap") }.map { String($0.dropLast(5)) }.sorted()
  }()

  /// One UDP payload and where it came from.
  struct Packet {
    var source: IPv6Address
    var destination: IPv6Address
    var isUnicast: Bool
    var payload: [UInt8]
  }

  /// The packets of a capture of raw IPv6 (classic pcap, little-endian).
  static func packets(_ name: String) throws -> [Packet] {
    let bytes = try [UInt8](Data(contentsOf: directory.appending(path: name + ".pcap")))
    let file = bytes.span.bytes
    var packets: [Packet] = []
    var offset = 24
    while offset + 16 <= file.byteCount {
      let length = Int(file.little32(offset + 8))
      let packet = file.extracting(offset + 16..<offset + 16 + length)
      offset += 16 + length
      guard let header = IPHeader(reading: packet), case .v6(let source) = header.source,
        case .v6(let destination) = header.destination
      else { continue }
      packets.append(
        Packet(
          source: source, destination: destination, isUnicast: !header.destination.isMulticast,
          payload: Array(bytes[offset - length + 48..<offset])))
    }
    return packets
  }

  static func messages(_ payload: [UInt8], from source: IPv6Address) -> [TLV] {
    guard var reader = PacketReader(payload.span.bytes, from: source) else { return [] }
    var messages: [TLV] = []
    while let message = reader.next() { messages.append(message) }
    return messages
  }

  /// The text of a capture: a line for each packet, and an indented one for each message.
  static func dump(_ name: String) throws -> String {
    var text = ""
    for (index, packet) in try packets(name).enumerated() {
      text += "#\(index) \(packet.source) \(packet.isUnicast ? "unicast" : "multicast")\n"
      for message in messages(packet.payload, from: packet.source) { text += "  \(message.text)\n" }
    }
    return text
  }
}

extension TLV {
  /// One line, in tcpdump's words where it has some.
  var text: String {
    switch self {
    case .acknowledgmentRequest(let opaque, let interval): "Ack Request \(opaque) interval \(interval.text)"
    case .acknowledgment(let opaque): "Ack \(opaque)"
    case .hello(let hello):
      "Hello\(hello.isUnicast ? " unicast" : "") seqno \(hello.seqno) interval \(hello.interval.text)"
        + (hello.timestamp.map { " timestamp \($0)" } ?? "")
    case .ihu(let ihu):
      "IHU \(ihu.address.map(\.description) ?? "any") rxcost \(ihu.rxcost.rawValue)"
        + " interval \(ihu.interval.text)"
        + (ihu.timestamps.map { " timestamps \($0.origin) \($0.receive)" } ?? "")
    case .update(let update):
      "Update \(update.prefix)\(update.source.map { " from \($0)" } ?? "")"
        + (update.isIPv4ViaIPv6 ? " v4-via-v6" : "")
        + " metric \(update.metric.rawValue) seqno \(update.seqno) interval \(update.interval.text)"
        + (update.routerID.map { " router-id \($0)" } ?? "")
        + (update.nextHop.map { " via \($0)" } ?? "")
    case .wildcardRetraction: "Retract all"
    case .routeRequest(let request):
      "Route Request for \(request.prefix.map(\.description) ?? "any")"
        + (request.source.map { " from \($0)" } ?? "")
    case .seqnoRequest(let request):
      "Seqno Request for \(request.prefix)\(request.source.map { " from \($0)" } ?? "")"
        + " router-id \(request.routerID) seqno \(request.seqno) hops \(request.hopCount)"
    }
  }
}

extension Interval {
  var text: String {
    let cents = centiseconds % 100
    return "\(centiseconds / 100).\(cents < 10 ? "0" : "")\(cents)s"
  }
}
