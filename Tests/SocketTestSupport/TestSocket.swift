import Foundation
import NIOCore
import NIOPosix
import NIOSSL
public import TestSupport
import TidingsClient
public import TidingsWire

/// A WebSocket whose messages a test reads one by one.
public final class TestSocket: Sendable {
    /// How the connection ended.
    public struct End: Sendable, Equatable {
        /// The code of the close frame.
        public let code: CloseCode
        /// Who sent it.
        public let sender: CloseCode.Sender
    }

    private let connection: WebSocketConnection
    private let messages: Inbox<WebSocketMessage>
    private let ends: Inbox<End>

    private init(connection: WebSocketConnection, messages: Inbox<WebSocketMessage>, ends: Inbox<End>) {
        self.connection = connection
        self.messages = messages
        self.ends = ends
    }

    /// Connects.
    public static func connect(
        to url: String,
        subprotocols: [String] = [],
        headers: [(name: String, value: String)] = [],
        offersCompression: Bool = false,
        maximumMessageBytes: Int = 1 << 20
    ) async throws -> TestSocket {
        let (messages, ends) = (Inbox<WebSocketMessage>(), Inbox<End>())
        var connector = WebSocketConnector()
        connector.maximumMessageBytes = maximumMessageBytes
        connector.connectTimeout = TimeAmount(.patience)
        connector.subprotocols = subprotocols
        connector.offersCompression = offersCompression
        let connection = try await connector.connect(
            to: try WebSocketEndpoint(url),
            headers: headers,
            on: MultiThreadedEventLoopGroup.singleton.next(),
            received: { messages.put($0) },
            closed: { code, _, sender in
                messages.end()
                ends.put(End(code: code, sender: sender))
            }
        ).get()
        return TestSocket(connection: connection, messages: messages, ends: ends)
    }

    /// Sends a text message.
    public func send(_ text: String) {
        connection.send(Array(text.utf8))
    }

    /// The next message's text. Fails if the connection ends first, or after a while.
    public func receive(within timeout: Duration = .patience) async throws -> String {
        guard case .text(let text) = try await messages.next(within: timeout) else {
            throw TestFailure("no text message came")
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Asks the server for a sign of life: everything sent before has been read, everything it wrote before has come.
    /// Fails if something else comes first.
    public func roundTrip() async throws {
        send(#"{"ping":7}"#)
        let answer = try await receive()
        guard answer == #"{"pong":7}"# else { throw TestFailure("expected a pong, received \(answer)") }
    }

    /// Subscribes and waits until that has taken effect.
    public func subscribe(to channels: String...) async throws {
        let list = channels.map { "\"\($0)\"" }.joined(separator: ",")
        send("{\"subscribe\":[\(list)]}")
        try await roundTrip()
    }

    /// Starts the closing handshake.
    public func close() {
        connection.close()
    }

    /// How the connection ended. Fails after a while.
    public func end() async throws -> End {
        guard let end = try await ends.next() else { throw TestFailure("the connection did not end") }
        return end
    }
}
