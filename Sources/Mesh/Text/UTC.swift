/// A moment as RFC 3339 writes it in UTC, with milliseconds: `2026-11-21T07:20:28.123Z`.
struct UTC: CustomStringConvertible {
  private let milliseconds: Int64

  /// The moment so many nanoseconds after the beginning of 1970; not before it.
  init(nanoseconds: Int64) {
    milliseconds = max(nanoseconds, 0) / 1_000_000
  }

  var description: String {
    let (days, rest) = milliseconds.quotientAndRemainder(dividingBy: 86_400_000)
    let (year, month, day) = Self.date(days)
    return "\(year)-\(Self.digits(month))-\(Self.digits(day))T\(Self.digits(rest / 3_600_000)):"
      + "\(Self.digits(rest / 60_000 % 60)):\(Self.digits(rest / 1000 % 60)).\(Self.digits(rest % 1000, 3))Z"
  }

  /// The date so many days after 1 January 1970: in eras of 400 years that begin in March, so that the leap day ends a
  /// year.
  private static func date(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let (era, dayOfEra) = (days + 719_468).quotientAndRemainder(dividingBy: 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let month = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * month + 2) / 5 + 1
    return (era * 400 + yearOfEra + (month >= 10 ? 1 : 0), month < 10 ? month + 3 : month - 9, day)
  }

  private static func digits(_ number: Int64, _ width: Int = 2) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(width - digits.utf8.count, 0)) + digits
  }
}
