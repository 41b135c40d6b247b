import ArgumentParser
import Foundation

/// A server's HTTP routes, from the URL of its WebSocket.
struct ServerURL {
    private let components: URLComponents

    /// Reads a URL.
    ///
    /// - Parameter text: `ws://host:port/ws/broadcast`, `wss`, or the same with `http` and `https`.
    /// - Throws: `ValidationError` that says what is wrong.
    init(_ text: String) throws {
        guard var components = URLComponents(string: text), let scheme = components.scheme?.lowercased(),
            let secure = ["ws": false, "http": false, "wss": true, "https": true][scheme],
            components.host?.isEmpty == false
        else { throw ValidationError("Give the URL as ws://host:port/ws/broadcast, or wss:// for TLS.") }
        components.scheme = secure ? "https" : "http"
        components.query = nil
        components.fragment = nil
        self.components = components
    }

    /// The URL of a path beside the WebSocket's: a server behind a prefix has all of its paths there.
    func route(_ path: String) -> String {
        var route = components
        let own = components.path
        let prefix = own.hasSuffix("/ws/broadcast") ? String(own.dropLast("/ws/broadcast".count)) : ""
        route.path = prefix + path
        return route.string ?? ""
    }
}
