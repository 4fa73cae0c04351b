/// What a question of a health check is known by: the place of its check.
struct ProbeToken: RawRepresentable {
  let rawValue: UInt64
}
