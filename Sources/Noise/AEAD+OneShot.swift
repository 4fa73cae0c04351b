internal import CSodium

// Single messages with additional data, for handshakes and cookies: libsodium, into arrays of their own.

/// The nonce of a counter: four zero octets, then the counter little-endian (whitepaper §5.4).
func transportNonce(_ counter: UInt64) -> InlineArray<12, UInt8> {
  InlineArray { $0 < 4 ? 0 : UInt8(truncatingIfNeeded: counter >> (8 * ($0 - 4))) }
}

extension SymmetricKey {
  /// `Aead(key, counter, plaintext, additional)` of whitepaper §5.4: the ciphertext and its tag.
  func seal(
    _ plaintext: RawSpan, additional: RawSpan, nonce: InlineArray<12, UInt8> = transportNonce(0)
  ) -> [UInt8] {
    var sealed = [UInt8](repeating: 0, count: plaintext.byteCount + AEAD.tagSize)
    unsafe plaintext.withOctets { text in
      unsafe additional.withOctets { data in
        unsafe nonce.bytes.withOctets { nonce in
          _ = unsafe crypto_aead_chacha20poly1305_ietf_encrypt(
            &sealed, nil, text, UInt64(plaintext.byteCount), data, UInt64(additional.byteCount), nil, nonce,
            octets.pointer)
        }
      }
    }
    return sealed
  }

  /// The plaintext of what `seal` made; `nil` if it is too short, was changed, or is another key's.
  func open(
    _ sealed: RawSpan, additional: RawSpan, nonce: InlineArray<12, UInt8> = transportNonce(0)
  ) -> [UInt8]? {
    guard sealed.byteCount >= AEAD.tagSize else { return nil }
    var plaintext = [UInt8](repeating: 0, count: sealed.byteCount - AEAD.tagSize)
    let status = unsafe sealed.withOctets { text in
      unsafe additional.withOctets { data in
        unsafe nonce.bytes.withOctets { nonce in
          unsafe crypto_aead_chacha20poly1305_ietf_decrypt(
            &plaintext, nil, nil, text, UInt64(sealed.byteCount), data, UInt64(additional.byteCount), nonce,
            octets.pointer)
        }
      }
    }
    return status == 0 ? plaintext : nil
  }
}

/// XChaCha20-Poly1305, which cookie replies use: its nonce is long enough to be random (whitepaper §5.4.7).
enum XChaCha20Poly1305 {
  /// The 24 octets of a nonce.
  typealias Nonce = InlineArray<24, UInt8>

  /// The ciphertext and its tag; `key` has 32 octets.
  static func seal(_ plaintext: RawSpan, additional: RawSpan, nonce: Nonce, key: RawSpan) -> [UInt8] {
    precondition(key.byteCount == 32)
    var sealed = [UInt8](repeating: 0, count: plaintext.byteCount + AEAD.tagSize)
    unsafe plaintext.withOctets { text in
      unsafe additional.withOctets { data in
        unsafe nonce.bytes.withOctets { nonce in
          unsafe key.withOctets { key in
            _ = unsafe crypto_aead_xchacha20poly1305_ietf_encrypt(
              &sealed, nil, text, UInt64(plaintext.byteCount), data, UInt64(additional.byteCount), nil, nonce,
              key)
          }
        }
      }
    }
    return sealed
  }

  /// The plaintext of what `seal` made; `nil` if it is too short, was changed, or is another key's.
  static func open(_ sealed: RawSpan, additional: RawSpan, nonce: Nonce, key: RawSpan) -> [UInt8]? {
    precondition(key.byteCount == 32)
    guard sealed.byteCount >= AEAD.tagSize else { return nil }
    var plaintext = [UInt8](repeating: 0, count: sealed.byteCount - AEAD.tagSize)
    let status = unsafe sealed.withOctets { text in
      unsafe additional.withOctets { data in
        unsafe nonce.bytes.withOctets { nonce in
          unsafe key.withOctets { key in
            unsafe crypto_aead_xchacha20poly1305_ietf_decrypt(
              &plaintext, nil, nil, text, UInt64(sealed.byteCount), data, UInt64(additional.byteCount), nonce,
              key)
          }
        }
      }
    }
    return status == 0 ? plaintext : nil
  }
}
