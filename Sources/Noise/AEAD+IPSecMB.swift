#if arch(x86_64)
internal import CIPSecMB
internal import CSodium

/// ChaCha20-Poly1305 by the job interface of Intel's multi-buffer library.
///
/// Owns one manager, which belongs to one thread, and the nonces and tags of the jobs in flight.
@safe
final class IPSecMB {
  /// Jobs submitted before the manager is drained; less than its queue holds.
  private static let runLength = 128
  private static let nonceSize = 12

  private let manager: UnsafeMutablePointer<IMB_MGR>
  private let nonces: UnsafeMutablePointer<UInt8>
  private let tags: UnsafeMutablePointer<UInt8>

  /// Fails on a processor without AVX2, where libsodium is as fast.
  init?() {
    guard let manager = unsafe alloc_mb_mgr(0) else { return nil }
    unsafe init_mb_mgr_auto(manager, nil)
    guard unsafe manager.pointee.features & UInt64(IMB_FEATURE_AVX2) != 0 else {
      unsafe free_mb_mgr(manager)
      return nil
    }
    unsafe self.manager = manager
    unsafe nonces = .allocate(capacity: Self.runLength * Self.nonceSize)
    unsafe nonces.initialize(repeating: 0, count: Self.runLength * Self.nonceSize)
    unsafe tags = .allocate(capacity: Self.runLength * AEAD.tagSize)
    unsafe tags.initialize(repeating: 0, count: Self.runLength * AEAD.tagSize)
  }

  deinit {
    unsafe free_mb_mgr(manager)
    unsafe nonces.deallocate()
    unsafe tags.deallocate()
  }

  @unsafe
  func seal(
    _ jobs: UnsafeMutableBufferPointer<AEAD.Job>, in base: UnsafeMutablePointer<UInt8>,
    key: UnsafePointer<UInt8>
  ) {
    for first in stride(from: 0, to: jobs.count, by: Self.runLength) {
      for index in first..<min(first + Self.runLength, jobs.count) {
        let job = unsafe jobs[index]
        unsafe submit(
          job, index - first, sealing: true, in: base, key: key,
          tag: base + job.destination + job.length)
      }
      drain()
    }
  }

  @unsafe
  func open(
    _ jobs: UnsafeMutableBufferPointer<AEAD.Job>, in base: UnsafeMutablePointer<UInt8>,
    key: UnsafePointer<UInt8>
  ) {
    for first in stride(from: 0, to: jobs.count, by: Self.runLength) {
      let run = first..<min(first + Self.runLength, jobs.count)
      for index in run {
        unsafe submit(
          jobs[index], index - first, sealing: false, in: base, key: key,
          tag: tags + (index - first) * AEAD.tagSize)
      }
      drain()
      for index in run {
        let received = unsafe base + jobs[index].source + jobs[index].length
        let computed = unsafe tags + (index - first) * AEAD.tagSize
        unsafe jobs[index].authentic = sodium_memcmp(received, computed, AEAD.tagSize) == 0
      }
    }
  }

  private func submit(
    _ job: AEAD.Job, _ place: Int, sealing: Bool, in base: UnsafeMutablePointer<UInt8>,
    key: UnsafePointer<UInt8>, tag: UnsafeMutablePointer<UInt8>
  ) {
    let nonce = unsafe nonces + place * Self.nonceSize
    // The first four octets stay zero.
    unsafe UnsafeMutableRawPointer(nonce).storeBytes(
      of: job.counter.littleEndian, toByteOffset: 4, as: UInt64.self)
    // The manager always has a free job: it is drained before its queue is full.
    let next = unsafe manager.pointee.get_next_job.unsafelyUnwrapped(manager).unsafelyUnwrapped
    unsafe next.pointee.cipher_mode = IMB_CIPHER_CHACHA20_POLY1305
    unsafe next.pointee.hash_alg = IMB_AUTH_CHACHA20_POLY1305
    unsafe next.pointee.cipher_direction = sealing ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT
    unsafe next.pointee.chain_order = sealing ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER
    unsafe next.pointee.enc_keys = UnsafeRawPointer(key)
    unsafe next.pointee.dec_keys = UnsafeRawPointer(key)
    unsafe next.pointee.key_len_in_bytes = 32
    unsafe next.pointee.src = UnsafePointer(base + job.source)
    unsafe next.pointee.dst = base + job.destination
    unsafe next.pointee.cipher_start_src_offset_in_bytes = 0
    unsafe next.pointee.msg_len_to_cipher_in_bytes = UInt64(job.length)
    unsafe next.pointee.hash_start_src_offset_in_bytes = 0
    unsafe next.pointee.msg_len_to_hash_in_bytes = UInt64(job.length)
    unsafe next.pointee.iv = UnsafePointer(nonce)
    unsafe next.pointee.iv_len_in_bytes = UInt64(Self.nonceSize)
    unsafe next.pointee.auth_tag_output = tag
    unsafe next.pointee.auth_tag_output_len_in_bytes = UInt64(AEAD.tagSize)
    unsafe next.pointee.u.CHACHA20_POLY1305.aad = nil
    unsafe next.pointee.u.CHACHA20_POLY1305.aad_len_in_bytes = 0
    _ = unsafe manager.pointee.submit_job_nocheck.unsafelyUnwrapped(manager)
  }

  /// Completes every job in flight.
  private func drain() {
    while unsafe manager.pointee.flush_job.unsafelyUnwrapped(manager) != nil {}
  }
}
#endif
