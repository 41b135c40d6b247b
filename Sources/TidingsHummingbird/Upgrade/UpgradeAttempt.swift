package import Hummingbird
package import NIOCore
import Synchronization
import TidingsCompression
import TidingsWire

/// A request to turn the connection into a WebSocket, or into a stream of events, while the router answers it.
///
/// A route accepts by returning what ``accept(_:)`` or ``stream(headers:_:)`` returns. Anything else that comes back from the router refuses the
/// upgrade and is sent as an ordinary answer.
package final class UpgradeAttempt: Sendable {
    /// Makes the handler that takes over the channel. Called on the channel's event loop.
    package typealias MakeHandler = @Sendable (_ eventLoop: any EventLoop, _ hasTLS: Bool) -> any ChannelHandler
    /// Makes the handler that takes over the channel and sends the head of the answer first. Called on the channel's event
    /// loop.
    package typealias MakeStream =
        @Sendable (
            _ eventLoop: any EventLoop, _ hasTLS: Bool, _ head: ByteBuffer
        ) -> any ChannelHandler

    /// What the connection becomes.
    enum Takeover: Sendable {
        /// If the answer's status is 101.
        case webSocket(MakeHandler)
        /// If the answer's status is 200.
        case stream(MakeStream)
    }

    /// The attempt that is being answered by this task; nil for every other request.
    @TaskLocal package static var current: UpgradeAttempt?

    /// The request, without a token in its query.
    let request: HTTPRequest
    /// The token that was in the query.
    let queryToken: String?
    private let accepted = Mutex<Takeover?>(nil)

    init(request: HTTPRequest) {
        var request = request
        queryToken = BearerToken.takeOut(of: &request)
        self.request = request
    }

    /// What the connection becomes; nil if no route has accepted.
    var takeover: Takeover? { accepted.withLock { $0 } }

    /// The subprotocols that the client offers, in the order in which it prefers them (RFC 6455 §11.3.4).
    package var offeredSubprotocols: [String] {
        request.headerFields[values: .secWebSocketProtocol].flatMap { list in
            list.split(whereSeparator: { $0 == "," || $0 == " " || $0 == "\t" }).map(String.init)
        }
    }

    /// What to answer to the client's offers to compress messages (RFC 7692 §7.1); nil if there is none to accept.
    ///
    /// - Throws: ``Problem`` if the header with the offers cannot be read.
    package func answerToCompression() throws -> String? {
        do throws(ExtensionNegotiationError) {
            return try PerMessageDeflate.answer(to: request.headerFields[values: .secWebSocketExtensions])
        } catch {
            throw Problem(.badRequest, code: "bad_handshake", detail: error.description)
        }
    }

    /// Accepts: checks the opening handshake (RFC 6455 §4.2.1) and answers it (§4.2.2).
    ///
    /// - Parameters:
    ///   - subprotocol: One of those that the client offers; nil for none.
    ///   - extensions: What ``answerToCompression()`` says; nil for none.
    ///   - makeHandler: Makes the handler that takes over the channel.
    /// - Throws: ``Problem`` if the request is not a correct handshake.
    package func accept(
        subprotocol: String? = nil,
        extensions: String? = nil,
        _ makeHandler: @escaping MakeHandler
    ) throws -> Response {
        guard request.headerFields[.secWebSocketVersion] == WebSocketHandshake.version else {
            throw Problem(
                .upgradeRequired,
                code: "unsupported_version",
                detail: "This server speaks version 13 of the WebSocket protocol (RFC 6455).",
                headers: [.secWebSocketVersion: WebSocketHandshake.version, .upgrade: "websocket"]
            )
        }
        guard let key = request.headerFields[.secWebSocketKey], WebSocketHandshake.isKey(key) else {
            throw Problem(
                .badRequest,
                code: "bad_handshake",
                detail: "Sec-WebSocket-Key has to be 16 bytes in Base64 (RFC 6455 §4.1)."
            )
        }
        accepted.withLock { $0 = .webSocket(makeHandler) }
        var headers: HTTPFields = [
            .upgrade: "websocket", .connection: "Upgrade", .secWebSocketAccept: WebSocketHandshake.accept(key),
        ]
        headers[.secWebSocketProtocol] = subprotocol
        headers[.secWebSocketExtensions] = extensions
        return Response(status: .switchingProtocols, headers: headers)
    }

    /// Accepts: the answer's body is what the handler writes, and ends with the connection (RFC 9112 §6.3).
    ///
    /// - Parameters:
    ///   - headers: Headers of the answer.
    ///   - makeHandler: Makes the handler that takes over the channel.
    package func stream(headers: HTTPFields, _ makeHandler: @escaping MakeStream) -> Response {
        accepted.withLock { $0 = .stream(makeHandler) }
        var headers = headers
        headers[.connection] = "close"
        return Response(status: .ok, headers: headers)
    }

    /// The answer to a plain request on a path that only speaks WebSocket.
    package static var notAnUpgrade: Problem {
        Problem(
            .upgradeRequired,
            code: "upgrade_required",
            detail: "This path speaks WebSocket: connect with ws:// or wss:// (headers Upgrade and Connection).",
            headers: [.upgrade: "websocket"]
        )
    }
}
