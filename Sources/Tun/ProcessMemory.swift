internal import CLinux
public import SystemPackage

/// What the process does to stay small.
public enum ProcessMemory {
  /// Octets from which on a block of memory goes back to the system as soon as it is free.
  ///
  /// Tables are copied to be changed and to grow. Without a bound, the C library keeps the old copies for later; it
  /// would raise the one it has (128 KiB, at first) with the first table beyond it, up to 32 MiB.
  private static let largeBlock = 1 << 16

  /// Has large blocks go back to the system when they are free.
  ///
  /// To be called before any is made.
  public static func returnLargeBlocks() throws(Errno) {
    _ = try systemCall { clinux_return_large_blocks(largeBlock) }
  }

  /// Lets go of the pages of the program's file, as the system itself would if it were short of memory: those that are
  /// needed come back from its cache one by one.
  ///
  /// Most of what a start touches, two thirds of a daemon's size, is touched never again: the command line, the tables
  /// of the language, the self-tests of the cipher library.
  public static func releaseProgram() throws(Errno) {
    _ = try systemCall { clinux_release_program() }
  }
}
