/// The order of updates in a packet: retractions first, then by originator and key.
struct AnnouncementRank: Comparable {
  var routerID: RouterID?
  var key: RouteKey

  static func < (lhs: AnnouncementRank, rhs: AnnouncementRank) -> Bool {
    switch (lhs.routerID, rhs.routerID) {
    case (nil, nil): lhs.key < rhs.key
    case (nil, _?): true
    case (_?, nil): false
    case (let first?, let second?): first != second ? first < second : lhs.key < rhs.key
    }
  }
}
