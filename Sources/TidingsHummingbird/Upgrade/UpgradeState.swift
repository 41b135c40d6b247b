import HTTPTypes
import NIOHTTPTypes
import TidingsWire

/// Decides for each part of a request whether it goes to the HTTP server or asks for an upgrade, and when the upgrade is
/// its turn: answers leave in the order of their requests. A value: it says what to do, its owner does it.
struct UpgradeState {
    private(set) var phase = Phase.http
    /// Requests for these paths are answered by streams, which take the connection over as a WebSocket does.
    private let streamPaths: Set<String>
    /// Requests that the HTTP server has read and not yet answered.
    private var unanswered = 0

    init(streamPaths: Set<String> = []) {
        self.streamPaths = streamPaths
    }

    enum Phase {
        /// Requests go to the HTTP server. → `head`.
        case http
        /// The head of an upgrade request was read, its end was not. → `waiting`, `deciding`.
        case head(HTTPRequest)
        /// An upgrade request was read while earlier requests are being answered. → `deciding`.
        case waiting(HTTPRequest)
        /// The router answers the upgrade request. → `ended`.
        case deciding
        /// The connection is a WebSocket, or is being closed.
        case ended
    }

    enum Action {
        /// Hand on to the HTTP server.
        case forward(HTTPRequestPart)
        /// Nothing yet.
        case hold
        /// Ask the router.
        case decide(HTTPRequest)
    }

    /// Whether reading has to wait: what follows an upgrade request is for the session, or for nobody.
    var holdsReads: Bool {
        switch phase {
        case .http, .head, .ended: false
        case .waiting, .deciding: true
        }
    }

    mutating func read(_ part: HTTPRequestPart) -> Action {
        switch (phase, part) {
        case (.http, .head(let head)) where head.asksForWebSocket || head.asksForStream(at: streamPaths):
            phase = .head(head)
            return .hold
        case (.http, .head(let head)):
            unanswered += 1
            return .forward(.head(head.withoutUpgrade))
        case (.http, _):
            return .forward(part)
        case (.head(let head), .end) where unanswered > 0:
            phase = .waiting(head)
            return .hold
        case (.head(let head), .end):
            phase = .deciding
            return .decide(head)
        default:
            return .hold
        }
    }

    mutating func wrote(_ part: HTTPResponsePart) -> Action {
        guard case .end = part else { return .hold }
        unanswered -= 1
        guard case .waiting(let head) = phase, unanswered == 0 else { return .hold }
        phase = .deciding
        return .decide(head)
    }

    mutating func end() {
        phase = .ended
    }
}

extension HTTPRequest {
    /// Whether the request asks for a WebSocket. One with a body does not: nobody would know where it ends.
    fileprivate var asksForWebSocket: Bool {
        method == .get && namesUpgrade && WebSocketHandshake.list(headerFields[.upgrade] ?? "", has: "websocket")
            && !hasBody
    }

    /// Whether the answer is a stream that takes the connection over, if the router says so.
    fileprivate func asksForStream(at paths: Set<String>) -> Bool {
        guard method == .get, !paths.isEmpty, !hasBody, let path = path?.prefix(while: { $0 != "?" }) else {
            return false
        }
        return paths.contains(String(path))
    }

    private var hasBody: Bool {
        headerFields[.transferEncoding] != nil || (headerFields[.contentLength] ?? "0") != "0"
    }

    private var namesUpgrade: Bool {
        headerFields.contains(.upgrade) && WebSocketHandshake.list(headerFields[.connection] ?? "", has: "upgrade")
    }

    /// The request without an offer that this server does not take, such as `h2c`. The HTTP decoder reads nothing
    /// after a request with such an offer, so the connection ends with the answer.
    fileprivate var withoutUpgrade: HTTPRequest {
        guard namesUpgrade else { return self }
        var request = self
        request.headerFields[.upgrade] = nil
        request.headerFields[.connection] = "close"
        return request
    }
}
