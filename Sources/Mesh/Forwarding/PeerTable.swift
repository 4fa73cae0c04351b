/// The peers by id.
///
/// In pages, so that a table with one changed peer copies one page and the list of pages, however many peers there are.
internal struct PeerTable: Sendable {
  private static var pageSize: Int { 64 }

  private var pages: [[PeerEntry?]] = []

  /// The peer with this id.
  internal subscript(id: PeerID) -> PeerEntry? {
    get {
      let (page, place) = Self.position(of: id)
      return page < pages.count ? pages[page][place] : nil
    }
    set {
      let (page, place) = Self.position(of: id)
      if page >= pages.count {
        let new = Array(repeating: PeerEntry?.none, count: Self.pageSize)
        pages += repeatElement(new, count: page + 1 - pages.count)
      }
      pages[page][place] = newValue
    }
  }

  private static func position(of id: PeerID) -> (page: Int, place: Int) {
    let number = Int(id.rawValue)
    return (number / pageSize, number % pageSize)
  }
}
