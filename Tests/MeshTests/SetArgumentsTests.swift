import Mesh
import Testing

/// The words of `meshd set`, as the lines they become.
@Suite struct SetArgumentsTests {
  private static let peer = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
  private static let hex = "c53201039adba14be71f886da1d8dbe9eebded08cb111b75340078999aa9f038"
  private static let psk = "fd4c1c48f837f215bf0fd637b5c4b514e5742b5c2e51131b4b4b1eb0910fe5a9"

  private func lines(_ words: String) throws(SetArguments.Failure) -> String {
    let words = words.split(separator: " ").map { $0 == "\"\"" ? "" : String($0) }
    let changes = try SetArguments.changes(words) { path throws(SetArguments.Failure) in
      switch path {
      case "key": "/UwcSPg38hW/D9Y3tcS1FOV0K1wuURMbS0sesJEP5ak=\n"
      case "empty": ""
      case "long": "/UwcSPg38hW/D9Y3tcS1FOV0K1wuURMbS0sesJEP5ak=x"
      case "short": "x"
      default: throw SetArguments.Failure("\(path): No such file or directory")
      }
    }
    return UAPIRequest.set(changes).text
  }

  @Test(arguments: [
    ("listen-port 7 fwmark off", "listen_port=7\nfwmark=0\n"),
    ("fwmark 0x10 private-key empty", "fwmark=16\nprivate_key=\(String(repeating: "0", count: 64))\n"),
    ("peer P remove", "public_key=H\nremove=true\n"),
    ("peer P preshared-key key", "public_key=H\npreshared_key=\(psk)\n"),
    ("peer P endpoint 1.2.3.4:5", "public_key=H\nendpoint=1.2.3.4:5\n"),
    (
      "peer P endpoint host.example:5,[::1]:6",
      "public_key=H\nreplace_endpoints=true\n"
        + "additional_endpoint=host.example:5\nadditional_endpoint=[::1]:6\n"
    ),
    (
      "peer P allowed-ips 10.0.0.1,fd00::/8",
      "public_key=H\nreplace_allowed_ips=true\nallowed_ip=10.0.0.1/32\nallowed_ip=fd00::/8\n"
    ),
    ("peer P allowed-ips \"\"", "public_key=H\nreplace_allowed_ips=true\n"),
    (
      "peer P allowed-ips +10.0.0.1,-fd00::/8", "public_key=H\nallowed_ip=10.0.0.1/32\nallowed_ip=-fd00::/8\n"
    ),
    (
      "peer P persistent-keepalive off babel off peer P babel inherit",
      "public_key=H\npersistent_keepalive_interval=0\nbabel=off\npublic_key=H\nbabel=inherit\n"
    ),
  ])
  func wordsBecomeLines(words: String, expected: String) throws {
    let text = try lines(words.replacing("P", with: Self.peer))
    #expect(text == "set=1\n\(expected.replacing("H", with: Self.hex))\n")
  }

  @Test(arguments: [
    ("foo", "Invalid argument: foo"),
    ("listen-port", "Invalid argument: listen-port"),
    ("listen-port 65536", "Port is not 0-65535: `65536'"),
    ("remove", "Invalid argument: remove"),
    ("peer P listen-port 1", "Invalid argument: listen-port"),
    ("peer x", "Key is not the correct length or format: `x'"),
    ("peer P endpoint x", "Unable to parse endpoint: `x'"),
    ("peer P allowed-ips x", "AllowedIP is not in the correct format: `x'"),
    ("peer P persistent-keepalive -1", "Persistent keepalive interval is neither 0/off nor 1-65535: `-1'"),
    ("peer P preshared-key short", "Key is not the correct length or format"),
    ("peer P preshared-key long", "Found trailing characters in key file `long'"),
    ("private-key none", "none: No such file or directory"),
    ("peer P babel maybe", "Babel is neither on, off nor inherit: `maybe'"),
    ("fwmark x", "Fwmark is neither 0/off nor 0-0xffffffff: `x'"),
  ])
  func mistakesAreNamedAsByWG(words: String, message: String) {
    #expect(throws: SetArguments.Failure(message)) { try lines(words.replacing("P", with: Self.peer)) }
  }
}
