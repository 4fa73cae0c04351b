public import Net
public import Noise

/// A request on the UAPI socket, read as a whole before any of it has an effect.
///
/// `get=1` and `set=1` are WireGuard's; `meshd=1` is ours, so that stock tools and ours share one socket.
public enum UAPIRequest: Sendable {
  /// `get=1`: the configuration and state.
  case get
  /// `set=1`: changes, in order.
  case set([UAPIChange])
  /// `meshd=1`: what WireGuard has no word for.
  case command(MeshCommand)

  /// What `meshd`'s own commands ask a running daemon.
  public enum MeshCommand: Sendable, Equatable {
    /// As `get`, with Babel's neighbours.
    case show
    /// Something for people or programs to read.
    case view(View, Form)
    /// The configuration as `meshd save` writes it.
    case configuration
    /// Reads the configuration file again, from another path if one is given.
    case reload(path: String?)
    /// Ends the daemon.
    case down
  }

  /// What there is to read about Babel.
  public enum View: Sendable, Equatable {
    /// The neighbours.
    case neighbours
    /// The routes in use, or all that are known.
    case routes(all: Bool)
    /// What this node announces.
    case xroutes
    /// What happens from now on, until the client leaves.
    case monitor
    /// Why packets to and from an address fare as they do.
    case explain(IPAddress, from: IPAddress?)
  }

  /// For whom an answer is.
  public enum Form: String, Sendable {
    /// For people.
    case text
    /// For programs.
    case json
  }
}

extension UAPIRequest {
  /// Reads the lines of one request, without the empty line that ends it; preshared keys go to `arena`.
  public init(_ text: some StringProtocol, in arena: SecretArena = SecretArena()) throws(UAPIError) {
    var lines = lines(of: text)[...]
    let operation = lines.removeFirst()
    switch operation {
    case "get=1":
      guard lines.isEmpty else { throw UAPIError(.invalidArgument, "`get=1` takes no lines") }
      self = .get
    case "set=1":
      var changes: [UAPIChange] = []
      changes.reserveCapacity(lines.count)
      var inPeer = false
      for line in lines {
        let change = try UAPIChange(line: line, inPeer: inPeer, arena: arena)
        if case .peer = change { inPeer = true }
        changes.append(change)
      }
      self = .set(changes)
    case "meshd=1":
      self = .command(try MeshCommand(lines: lines))
    default:
      throw UAPIError(.protocolError, "\(quoted(operation)) is not an operation")
    }
  }

  /// The request as it goes over the socket, with the empty line at its end.
  public var text: String {
    switch self {
    case .get: "get=1\n\n"
    case .set(let changes): "set=1\n" + changes.map { $0.line + "\n" }.joined() + "\n"
    case .command(let command): "meshd=1\n\(command.lines)\n"
    }
  }
}

extension UAPIRequest.MeshCommand {
  init(lines: ArraySlice<Substring>) throws(UAPIError) {
    var name: Substring?
    var path: String?
    var all = false
    var form = UAPIRequest.Form.text
    var address: IPAddress?
    var source: IPAddress?
    for line in lines {
      if line.hasPrefix("command=") {
        name = line.dropFirst("command=".count)
      } else if line.hasPrefix("path=") {
        path = String(line.dropFirst("path=".count))
      } else if line == "all=true" {
        all = true
      } else if line == "format=json" {
        form = .json
      } else if line.hasPrefix("address="), let value = IPAddress(line.dropFirst("address=".count)) {
        address = value
      } else if line.hasPrefix("source="), let value = IPAddress(line.dropFirst("source=".count)) {
        source = value
      } else {
        throw UAPIError(.invalidArgument, "\(quoted(line)) is no part of a command")
      }
    }
    switch name {
    case "show": self = .show
    case "neighbours": self = .view(.neighbours, form)
    case "routes": self = .view(.routes(all: all), form)
    case "xroutes": self = .view(.xroutes, form)
    case "monitor": self = .view(.monitor, form)
    case "explain":
      guard let address else { throw UAPIError(.invalidArgument, "`explain` needs an address") }
      guard source == nil || source?.family == address.family else {
        throw UAPIError(.invalidArgument, "the source is not of the family of `\(address)`")
      }
      self = .view(.explain(address, from: source), form)
    case "configuration": self = .configuration
    case "reload": self = .reload(path: path)
    case "down": self = .down
    default: throw UAPIError(.invalidArgument, "\(quoted(name ?? "")) is not a command")
    }
  }

  fileprivate var lines: String {
    switch self {
    case .show: "command=show\n"
    case .view(let view, let form): view.lines + (form == .json ? "format=json\n" : "")
    case .configuration: "command=configuration\n"
    case .reload(let path): "command=reload\n" + (path.map { "path=\($0)\n" } ?? "")
    case .down: "command=down\n"
    }
  }
}

extension UAPIRequest.View {
  fileprivate var lines: String {
    switch self {
    case .neighbours: "command=neighbours\n"
    case .routes(let all): "command=routes\n" + (all ? "all=true\n" : "")
    case .xroutes: "command=xroutes\n"
    case .monitor: "command=monitor\n"
    case .explain(let address, let source):
      "command=explain\naddress=\(address)\n" + (source.map { "source=\($0)\n" } ?? "")
    }
  }
}
