import FoundationEssentials

/// Where a WebSocket server is: the parts of a `ws` or `wss` URL (RFC 6455 §3).
package struct WebSocketEndpoint: Hashable, Sendable {
    let isSecure: Bool
    /// A name or an address, the latter without brackets.
    let host: String
    let port: Int
    /// Path and query, as they stand in the request.
    let target: String

    /// Reads a URL.
    ///
    /// - Parameter url: `ws://host[:port]/path[?query]`, or `wss` for TLS.
    /// - Throws: ``BroadcastClientError/Code/badURL``.
    package init(_ url: String) throws(BroadcastClientError) {
        guard let components = URLComponents(string: url), let scheme = components.scheme?.lowercased() else {
            throw Self.fault("This is no URL.")
        }
        guard scheme == "ws" || scheme == "wss" else {
            throw Self.fault("The scheme of a WebSocket URL is ws or wss, not \(scheme).")
        }
        guard let host = components.host, !host.isEmpty else { throw Self.fault("The URL has no host.") }
        guard components.fragment == nil else { throw Self.fault("A WebSocket URL has no fragment (#…).") }
        guard components.user == nil, components.password == nil else {
            throw Self.fault("The URL has a user or a password in it; give a token instead.")
        }
        guard (components.port.map { (1...65_535).contains($0) }) ?? true else {
            throw Self.fault("The port is not 1–65535.")
        }
        isSecure = scheme == "wss"
        self.host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        port = components.port ?? (isSecure ? 443 : 80)
        let path = components.percentEncodedPath.isEmpty ? "/" : components.percentEncodedPath
        target = path + (components.percentEncodedQuery.map { "?\($0)" } ?? "")
    }

    /// What the `Host` header says.
    var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }

    private static func fault(_ message: String) -> BroadcastClientError {
        BroadcastClientError(.badURL, "\(message) Give it as ws://host:port/ws/broadcast.")
    }
}
