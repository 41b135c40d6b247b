package import Hummingbird
package import NIOCore
import Synchronization
import TidingsCompression
import TidingsWire

/// A request to turn the connection into a WebSocket, while the router answers it.
///
/// A route accepts by returning what ``accept(_:)`` returns. Anything else that comes back from the router refuses the
/// upgrade and is sent as an ordinary answer.
package final class UpgradeAttempt: Sendable {
    /// Makes the handler that takes over the channel. Called on the channel's event loop.
    package typealias MakeHandler = @Sendable (_ eventLoop: any EventLoop, _ hasTLS: Bool) -> any ChannelHandler

    /// The attempt that is being answered by this task; nil for every other request.
    @TaskLocal package static var current: UpgradeAttempt?

    /// The request, without a token in its query.
    let request: HTTPRequest
    /// The token that was in the query.
    let queryToken: String?
    private let handler = Mutex<MakeHandler?>(nil)

    init(request: HTTPRequest) {
        var request = request
        queryToken = BearerToken.takeOut(of: &request)
        self.request = request
    }

    /// What the connection becomes if the answer's status is 101.
    var makeHandler: MakeHandler? { handler.withLock { $0 } }

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
        handler.withLock { $0 = makeHandler }
        var headers: HTTPFields = [
            .upgrade: "websocket", .connection: "Upgrade", .secWebSocketAccept: WebSocketHandshake.accept(key),
        ]
        headers[.secWebSocketProtocol] = subprotocol
        headers[.secWebSocketExtensions] = extensions
        return Response(status: .switchingProtocols, headers: headers)
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
