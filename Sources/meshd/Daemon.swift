/// Runs a daemon until it is told to end.
func runDaemon(_ options: DaemonOptions) throws {
  throw Failure("the daemon of \(options.interfaceName) is not part of this build")
}
