internal import CLinux
internal import Glibc
internal import SystemPackage

/// One open descriptor of a TUN device, shared by the thread that reads it and those that write it.
internal final class TunQueue: Sendable {
  let descriptor: OwnedDescriptor
  /// Octets of the virtio header in front of every packet; 0 without `IFF_VNET_HDR`.
  let headerLength: Int
  /// What passes unfinished or in one piece.
  let offloads: TunOffloads

  private init(_ descriptor: consuming OwnedDescriptor, headerLength: Int) {
    offloads = headerLength == 0 ? TunOffloads() : Self.choose(descriptor)
    self.descriptor = descriptor
    self.headerLength = headerLength
  }

  /// Opens another queue of the device `name`, which the first one makes.
  static func open(_ name: InterfaceName, flags: Int32) throws(TunError) -> (
    name: InterfaceName, queue: TunQueue
  ) {
    let descriptor = try openDevice()
    let existed = name.index != nil
    var octets = NameBuffer(name.text)
    var headerLength = 0
    do throws(Errno) {
      do throws(Errno) {
        try octets.attach(descriptor, flags | IFF_VNET_HDR)
        _ = try systemCall {
          clinux_tun_set_vnet_header_size(descriptor.rawValue, Int32(VirtioHeader.size))
        }
        headerLength = VirtioHeader.size
      } catch {
        guard error == .invalidArgument else { throw error }
        try octets.attach(descriptor, flags)
      }
    } catch {
      switch error {
      case .permissionDenied, .notPermitted: throw .notPermitted
      case .resourceBusy: throw .nameInUse(name.text)
      case .invalidArgument: throw existed ? .nameInUse(name.text) : .invalidName(name.text)
      default: throw .failed(error, in: "ioctl(TUNSETIFF)")
      }
    }
    guard let chosen = InterfaceName(octets.text) else { throw .invalidName(octets.text) }
    return (chosen, TunQueue(descriptor, headerLength: headerLength))
  }

  /// Switches on the most that the kernel has.
  private static func choose(_ descriptor: borrowing OwnedDescriptor) -> TunOffloads {
    for choice in TunOffloads.choices
    where clinux_tun_set_offloads(descriptor.rawValue, choice.flags) == 0 { return choice }
    // Whatever the maker of an adopted device switched on, complete packets are always served.
    _ = clinux_tun_set_offloads(descriptor.rawValue, 0)
    return TunOffloads()
  }

  private static func openDevice() throws(TunError) -> OwnedDescriptor {
    do {
      return try OwnedDescriptor {
        unsafe clinux_open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK, 0)
      }
    } catch {
      switch error {
      case .noSuchFileOrDirectory, .noSuchAddressOrDevice, .operationNotSupportedByDevice: throw .unavailable
      case .permissionDenied, .notPermitted: throw .notPermitted
      default: throw .failed(error, in: "open(/dev/net/tun)")
      }
    }
  }

  /// Takes an open queue with the header it was given.
  static func adopt(_ descriptor: consuming OwnedDescriptor) throws(TunError) -> (
    name: InterfaceName, queue: TunQueue
  ) {
    let rawValue = descriptor.rawValue
    var octets = NameBuffer("")
    var flags: Int16 = 0
    var headerLength: Int32 = 0
    do {
      _ = try systemCall {
        unsafe octets.withBytes { unsafe clinux_tun_get_interface(rawValue, $0, &flags) }
      }
      _ = try systemCall { clinux_make_nonblocking(rawValue) }
      if Int32(flags) & IFF_VNET_HDR != 0 {
        _ = try systemCall { unsafe clinux_tun_get_vnet_header_size(rawValue, &headerLength) }
      }
    } catch {
      throw .unsuitableDescriptor
    }
    let wanted = IFF_TUN | IFF_NO_PI
    guard Int32(UInt16(bitPattern: flags)) & wanted == wanted, let name = InterfaceName(octets.text),
      headerLength == 0 || (VirtioHeader.size...VirtioHeader.limit).contains(Int(headerLength))
    else { throw .unsuitableDescriptor }
    return (name, TunQueue(descriptor, headerLength: Int(headerLength)))
  }
}

/// The 16 octets in which the kernel takes and returns an interface name.
private struct NameBuffer {
  private var octets: [CChar]

  init(_ text: String) {
    octets = text.utf8.map { CChar(bitPattern: $0) }
    octets.append(contentsOf: repeatElement(0, count: Int(IFNAMSIZ) - octets.count))
  }

  var text: String {
    String(decoding: octets.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The corresponding C call is `ioctl(TUNSETIFF)`.
  mutating func attach(_ descriptor: borrowing OwnedDescriptor, _ flags: Int32) throws(Errno) {
    let rawValue = descriptor.rawValue
    _ = try systemCall {
      unsafe withBytes { unsafe clinux_tun_set_interface(rawValue, $0, Int16(flags)) }
    }
  }

  mutating func withBytes(_ body: (UnsafeMutablePointer<CChar>?) -> Int32) -> Int32 {
    unsafe octets.withUnsafeMutableBufferPointer { unsafe body($0.baseAddress) }
  }
}
