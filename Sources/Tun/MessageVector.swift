internal import CLinux
internal import Glibc
internal import Net

/// The arguments of `recvmmsg` and `sendmmsg`: for each message a header, an address and room for control messages, and
/// pieces of memory that the messages share out.
///
/// Allocated once; the only place that ties these pointers together.
@safe
internal struct MessageVector: ~Copyable {
  private static let nameStride = 32

  /// How many messages there are.
  let capacity: Int
  /// How many pieces of memory there are.
  let pieceCapacity: Int
  private let headers: UnsafeMutablePointer<clinux_mmsghdr>
  private let pieces: UnsafeMutablePointer<iovec>
  private let names: UnsafeMutableRawPointer
  private let controls: UnsafeMutableRawPointer

  init(capacity: Int, pieceCapacity: Int? = nil) {
    let pieceCapacity = pieceCapacity ?? capacity
    precondition(capacity > 0 && pieceCapacity >= capacity)
    self.capacity = capacity
    self.pieceCapacity = pieceCapacity
    unsafe headers = .allocate(capacity: capacity)
    unsafe pieces = .allocate(capacity: pieceCapacity)
    unsafe names = .allocate(byteCount: capacity * Self.nameStride, alignment: 16)
    unsafe controls = .allocate(byteCount: capacity * ControlMessage.capacity, alignment: 16)
    unsafe pieces.initialize(repeating: iovec(), count: pieceCapacity)
    for index in 0..<capacity {
      var header = unsafe clinux_mmsghdr()
      unsafe header.msg_hdr.msg_iov = pieces + index
      unsafe header.msg_hdr.msg_iovlen = 1
      unsafe header.msg_hdr.msg_name = names + index * Self.nameStride
      unsafe header.msg_hdr.msg_control = controls + index * ControlMessage.capacity
      unsafe (headers + index).initialize(to: header)
    }
  }

  deinit {
    unsafe headers.deallocate()
    unsafe pieces.deallocate()
    unsafe names.deallocate()
    unsafe controls.deallocate()
  }

  /// Points piece `index` at memory that stays valid until the call.
  ///
  /// Message `n` has piece `n`, unless `prepareToSend` says otherwise.
  @unsafe
  func setPiece(_ index: Int, _ base: UnsafeMutableRawPointer, count: Int) {
    precondition(index < pieceCapacity)
    unsafe pieces[index] = iovec(iov_base: base, iov_len: count)
  }

  /// Leaves piece `index` without memory: only what comes beside the message is of interest.
  func setEmptyPiece(_ index: Int) {
    precondition(index < pieceCapacity)
    unsafe pieces[index] = iovec()
  }

  /// Makes room for what the kernel writes beside message `index`.
  func prepareToReceive(_ index: Int) {
    precondition(index < capacity)
    unsafe headers[index].msg_hdr.msg_namelen = socklen_t(SocketAddress.capacity)
    unsafe headers[index].msg_hdr.msg_controllen = ControlMessage.capacity
    unsafe headers[index].msg_hdr.msg_flags = 0
  }

  /// Makes message `index` of some pieces, and writes what the kernel shall know beside it.
  func prepareToSend(
    _ index: Int, _ range: Range<Int>, along path: Path, trafficClass: UInt8, segmentSize: Int? = nil
  ) {
    precondition(index < capacity && range.upperBound <= pieceCapacity)
    unsafe headers[index].msg_hdr.msg_iov = pieces + range.lowerBound
    unsafe headers[index].msg_hdr.msg_iovlen = range.count
    var name = unsafe MutableRawSpan(
      _unsafeStart: names + index * Self.nameStride, byteCount: Self.nameStride)
    unsafe headers[index].msg_hdr.msg_namelen = socklen_t(SocketAddress.write(path.remote, into: &name))
    var control = unsafe MutableRawSpan(
      _unsafeStart: controls + index * ControlMessage.capacity, byteCount: ControlMessage.capacity)
    let length = ControlMessage.write(
      along: path, trafficClass: trafficClass, segmentSize: segmentSize, into: &control)
    unsafe headers[index].msg_hdr.msg_controllen = length
  }

  /// The corresponding C function is `recvmmsg`; returns how many messages came.
  func receive(from socket: Int32, count: Int) -> Int32 {
    precondition(count <= capacity)
    return unsafe clinux_recvmmsg(socket, headers, UInt32(count), Int32(MSG_DONTWAIT))
  }

  /// The corresponding C function is `recvmmsg` with `MSG_ERRQUEUE`; returns how many errors came.
  func receiveErrors(from socket: Int32, count: Int) -> Int32 {
    precondition(count <= capacity)
    return unsafe clinux_recvmmsg(
      socket, headers, UInt32(count), Int32(MSG_DONTWAIT | MSG_ERRQUEUE))
  }

  /// The corresponding C function is `sendmmsg`; returns how many messages went.
  func send(to socket: Int32, _ range: Range<Int>) -> Int32 {
    precondition(range.upperBound <= capacity)
    return unsafe clinux_sendmmsg(
      socket, headers + range.lowerBound, UInt32(range.count),
      Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
  }

  /// The length of received message `index`; `nil` if it was cut.
  func length(_ index: Int) -> Int? {
    precondition(index < capacity)
    let isCut = unsafe headers[index].msg_hdr.msg_flags & Int32(MSG_TRUNC) != 0
    return isCut ? nil : Int(unsafe headers[index].msg_len)
  }

  /// The sender of received message `index`; `nil` if it is of no family we know.
  func name(_ index: Int) -> Endpoint? {
    precondition(index < capacity)
    let length = min(Int(unsafe headers[index].msg_hdr.msg_namelen), Self.nameStride)
    return SocketAddress.read(
      unsafe RawSpan(_unsafeStart: names + index * Self.nameStride, byteCount: length))
  }

  /// What came beside message `index`.
  func control(_ index: Int) -> ControlMessage {
    ControlMessage(reading: controlSpan(index))
  }

  /// The error that came beside message `index`, about a datagram to `remote`; `nil` if there is none to speak of.
  func error(_ index: Int, about remote: Endpoint) -> DatagramError? {
    DatagramError(reading: controlSpan(index), remote: remote)
  }

  @_lifetime(borrow self)
  private func controlSpan(_ index: Int) -> RawSpan {
    precondition(index < capacity)
    let length = min(Int(unsafe headers[index].msg_hdr.msg_controllen), ControlMessage.capacity)
    let span = unsafe RawSpan(_unsafeStart: controls + index * ControlMessage.capacity, byteCount: length)
    return unsafe _overrideLifetime(span, borrowing: self)
  }
}
