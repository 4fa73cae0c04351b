internal import CLinux
public import SystemPackage

/// What the process may do, and what it gives up.
public enum Privileges {
  /// Whether the process may make and change interfaces: `CAP_NET_ADMIN`, effectively.
  public static var hasNetworkAdministration: Bool {
    clinux_has_capability(Int32(CLINUX_CAP_NET_ADMIN)) == 1
  }

  /// Keeps keys out of files: no core dumps, and no look into the process by others of its user.
  public static func forbidDumps() throws(Errno) {
    _ = try systemCall { clinux_forbid_cores() }
    _ = try systemCall { clinux_forbid_dumps() }
  }

  /// Gives up gaining privileges by executing a file, for ever and for all children: hooks could not use
  /// `sudo` then.
  public static func forbidNewPrivileges() throws(Errno) {
    _ = try systemCall { clinux_forbid_new_privileges() }
  }
}
