import FoundationEssentials
package import NIOCore
import NIOHTTP1
import NIOPosix
package import NIOSSL
package import TidingsWire

/// Opens WebSockets over TCP, or over TLS for `wss`.
package struct WebSocketConnector: Sendable {
    /// How TLS is spoken for `wss`.
    package var tls = TLSConfiguration.makeClientConfiguration()
    /// From the first packet to the end of the opening handshake.
    package var connectTimeout: TimeAmount = .seconds(10)
    /// Time that the server has to answer a close frame.
    package var closeTimeout: TimeAmount = .seconds(5)
    /// What is offered to be spoken (RFC 6455 §1.9), in the order of preference.
    package var subprotocols: [String] = []
    /// Whether to offer that messages are compressed (permessage-deflate, RFC 7692).
    package var offersCompression = false
    /// The most bytes in one message from the server, after it was inflated.
    package var maximumMessageBytes = WireLimits.serverMessageBytes

    /// Starts with the system's trust roots.
    package init() {}

    /// Opens a connection.
    ///
    /// - Parameters:
    ///   - endpoint: The server.
    ///   - headers: Further headers of the request.
    ///   - eventLoop: Where the connection lives, and where the closures are called.
    ///   - heard: Called whenever bytes come, before what they say is received.
    ///   - received: Hears text, binary and pong messages.
    ///   - closed: Called once, last, after a connection that was made has ended; not if none was made.
    /// - Returns: The connection; fails if there is none.
    package func connect(
        to endpoint: WebSocketEndpoint,
        headers: [(name: String, value: String)] = [],
        on eventLoop: any EventLoop,
        heard: @escaping @Sendable () -> Void = {},
        received: @escaping @Sendable (WebSocketMessage) -> Void,
        closed: @escaping @Sendable (CloseCode, _ reason: String, CloseCode.Sender) -> Void
    ) -> EventLoopFuture<WebSocketConnection> {
        let done = eventLoop.makePromise(of: String?.self)
        let opening = ClientBootstrap(group: eventLoop)
            .connectTimeout(connectTimeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try addHandlers(
                        to: channel,
                        endpoint: endpoint,
                        headers: headers,
                        done: done,
                        heard: heard,
                        received: received,
                        closed: closed
                    )
                }
            }
            .connect(host: endpoint.host, port: endpoint.port)
        opening.cascadeFailure(to: done)
        let deadline = eventLoop.scheduleTask(in: connectTimeout) {
            done.fail(ChannelError.connectTimeout(connectTimeout))
        }
        done.futureResult.whenComplete { _ in deadline.cancel() }
        return opening.and(done.futureResult).flatMapThrowing { channel, subprotocol in
            let handler = try channel.pipeline.syncOperations.handler(type: WebSocketClientHandler.self)
            let bound = NIOLoopBound(handler, eventLoop: eventLoop)
            return WebSocketConnection(channel: channel, handler: bound, subprotocol: subprotocol)
        }.flatMapErrorThrowing { error in
            opening.whenSuccess { $0.close(promise: nil) }
            throw error
        }
    }

    private func addHandlers(
        to channel: any Channel,
        endpoint: WebSocketEndpoint,
        headers: [(name: String, value: String)],
        done: EventLoopPromise<String?>,
        heard: @escaping @Sendable () -> Void,
        received: @escaping @Sendable (WebSocketMessage) -> Void,
        closed: @escaping @Sendable (CloseCode, _ reason: String, CloseCode.Sender) -> Void
    ) throws {
        let pipeline = channel.pipeline.syncOperations
        if endpoint.isSecure {
            // An address is no name to be sent along (RFC 6066 §3); the certificate is checked against it all the same.
            let name = (try? SocketAddress(ipAddress: endpoint.host, port: 0)) == nil ? endpoint.host : nil
            try pipeline.addHandler(
                NIOSSLClientHandler(context: NIOSSLContext(configuration: tls), serverHostname: name)
            )
        }
        var generator = SystemRandomNumberGenerator()
        let handshake = HandshakeHandler(
            endpoint: endpoint,
            key: WebSocketHandshake.makeKey(using: &generator),
            subprotocols: subprotocols,
            headers: headers,
            offersCompression: offersCompression,
            done: done,
            makeHandler: { [maximumMessageBytes, closeTimeout] compression in
                WebSocketClientHandler(
                    maximumMessageBytes: maximumMessageBytes,
                    compression: compression,
                    closeTimeout: closeTimeout,
                    heard: heard,
                    received: received,
                    closed: closed
                )
            }
        )
        try pipeline.addHandler(HTTPRequestEncoder())
        try pipeline.addHandler(ByteToMessageHandler(HTTPResponseDecoder(leftOverBytesStrategy: .forwardBytes)))
        try pipeline.addHandler(handshake)
    }
}

/// One open WebSocket. Both methods can be called from any thread and return at once.
package struct WebSocketConnection: Sendable {
    let channel: any Channel
    let handler: NIOLoopBound<WebSocketClientHandler>
    /// What the server chose to speak of what was offered; nil if nothing.
    let subprotocol: String?

    /// Sends a text message, after those sent before.
    ///
    /// - Parameter text: UTF-8.
    package func send(_ text: [UInt8]) {
        run { $0.send(.text, text) }
    }

    /// Sends a binary message, after what was sent before.
    ///
    /// - Parameter bytes: Anything.
    package func send(binary bytes: [UInt8]) {
        run { $0.send(.binary, bytes) }
    }

    /// Asks the server for a sign of life.
    package func ping() {
        run { $0.send(.ping, []) }
    }

    /// Starts the closing handshake.
    ///
    /// - Parameters:
    ///   - code: Why.
    ///   - reason: A few words for people.
    package func close(_ code: CloseCode = .normal, reason: String = "") {
        run { $0.close(code, reason: reason) }
    }

    private func run(_ body: @escaping @Sendable (WebSocketClientHandler) -> Void) {
        if channel.eventLoop.inEventLoop {
            body(handler.value)
        } else {
            channel.eventLoop.execute { body(handler.value) }
        }
    }
}
