import Glibc
import Mesh
import Net
import SystemPackage
import Tun

// Who asks, and who is told what happens.
extension ControlLoop {
  mutating func acceptClients() {
    for (token, descriptor) in server.accept() {
      try? poller.add(descriptor, as: .client(token))
    }
    guard !server.hasRoom, isListening, let descriptor = server.descriptor else { return }
    try? poller.remove(descriptor)
    isListening = false
  }

  mutating func serve(_ token: UInt64) {
    if let request = server.clients.nextRequest(of: token) {
      let text = answer(to: request, from: token)
      server.clients.answer(token, text, isWhole: server.listings[token] == nil)
    } else if server.clients.hasRoom(token), let page = nextPage(for: token) {
      server.clients.answer(token, page, isWhole: server.listings[token] == nil)
    }
    // What was asked for is in force before the client hears of it.
    finishTurn()
    proceed(token)
  }

  /// The next page of the table that a client has asked for, or the end of the answer; `nil` without one.
  mutating func nextPage(for token: UInt64) -> String? {
    guard var listing = server.listings.removeValue(forKey: token) else { return nil }
    guard let page = node.nextPage(of: &listing, at: clock.now) else {
      return UAPIResponse.text("") + UAPIResponse.success
    }
    server.listings[token] = listing
    return UAPIResponse.page(page)
  }

  private mutating func proceed(_ token: UInt64) {
    switch server.clients.proceed(token) {
    case .unchanged: break
    case .reading(let descriptor): try? poller.update(descriptor, as: .client(token), for: .read)
    case .writing(let descriptor): try? poller.update(descriptor, as: .client(token), for: .write)
    case .finished(let descriptor):
      try? poller.remove(descriptor)
      server.remove(token)
      observe()
      guard !isListening, let listener = server.descriptor else { return }
      try? poller.add(listener, as: .listener)
      isListening = true
    }
  }

  /// Follows the tables as long as somebody wants to hear of them.
  mutating func observe() {
    node.setObserved(!server.followers.isEmpty || babelMonitor.isFollowed, at: clock.now)
  }

  /// Queues an event for all who follow.
  mutating func tell(_ event: MonitorEvent) {
    if !server.followers.isEmpty { server.tell(event, at: clock.wallNanoseconds) }
    guard babelMonitor.isFollowed, case .table(let change) = event else { return }
    babelMonitor.tell(BabeldProtocol.line(change, interface: plane.tun.name.text))
  }

  /// Sends what was queued for the followers.
  mutating func flushFollowers() {
    babelMonitor.flush()
    for token in server.followers.keys { proceed(token) }
  }

  /// Does what the clients of babeld's monitoring protocol ask for.
  mutating func serveBabelMonitors() {
    for (token, request) in babelMonitor.takeRequests() {
      switch request {
      case .greeting: babelMonitor.answer(token, babelGreeting)
      case .answer(.dump): babelMonitor.answer(token, babelDump + BabeldProtocol.ok)
      case .answer(.monitor):
        babelMonitor.answer(token, babelDump + BabeldProtocol.ok)
        babelMonitor.setFollowing(token, true)
      case .answer(.unmonitor):
        babelMonitor.setFollowing(token, false)
        babelMonitor.answer(token, BabeldProtocol.ok)
      case .answer(.quit): babelMonitor.finish(token)
      case .answer(.nothing): babelMonitor.answer(token, BabeldProtocol.ok)
      case .answer(.unknown): babelMonitor.answer(token, BabeldProtocol.bad)
      }
      babelMonitor.proceed(token)
    }
    observe()
  }

  private var babelGreeting: String {
    let noRouterID = String(repeating: "00:", count: 7) + "00"
    return BabeldProtocol.greeting(
      version: "meshd-\(Meshd.version)", host: Self.hostName, routerID: node.routerID ?? noRouterID)
  }

  private var babelDump: String {
    BabeldProtocol.dump(node.tableRows(at: clock.now), interface: plane.tun.name.text)
  }

  private static var hostName: String {
    var name = [CChar](repeating: 0, count: 256)
    guard unsafe gethostname(&name, name.count - 1) == 0 else { return "localhost" }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
