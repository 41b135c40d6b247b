import SocketTestSupport
import TestSupport
import Testing
import TidingsWire

/// A client of a server, that holds one channel and keeps account of it. It goes from one server to another as a client
/// does: with its position.
final class NodeClient {
    private var socket: TestSocket
    private let channel: ChannelName
    private(set) var account: ChannelAccount

    /// Connects, and waits until the channel is held.
    init(to server: ServeProcess, channel: ChannelName = "order") async throws {
        self.channel = channel
        let (socket, answer) = try await Self.subscribe(to: channel, since: nil, on: server)
        self.socket = socket
        account = try ChannelAccount(answer)
    }

    /// Goes to another server.
    func move(to server: ServeProcess) async throws {
        socket.close()
        let (socket, answer) = try await Self.subscribe(to: channel, since: account.position, on: server)
        self.socket = socket
        try account.resume(answer)
        lastAnswer = answer
    }

    /// The answer to the last subscribe that named a position.
    private(set) var lastAnswer: SubscribedChannel?

    /// The next event.
    @discardableResult
    func next(_ location: SourceLocation = #_sourceLocation) async throws -> BroadcastEvent {
        guard case .event(let event) = try await Self.message(socket) else {
            throw TestFailure("something else than an event came")
        }
        account.take(event, location)
        return event
    }

    /// Hears everything up to an event of this name.
    func hear(until name: EventName, _ location: SourceLocation = #_sourceLocation) async throws {
        while try await next(location).name != name {}
    }

    /// Waits for the next sign of life: nothing else has come before it.
    func expectNothing(_ location: SourceLocation = #_sourceLocation) async throws {
        socket.send(#"{"id":9,"ping":9}"#)
        guard case .reply(let reply) = try await Self.message(socket), reply.pong == 9 else {
            Issue.record("something came that was not expected", sourceLocation: location)
            return
        }
    }

    /// Waits for the end of the connection.
    func waitForEnd() async throws { _ = try await socket.end() }

    func close() { socket.close() }

    private static func subscribe(
        to channel: ChannelName,
        since position: EventPosition?,
        on server: ServeProcess
    ) async throws -> (TestSocket, SubscribedChannel) {
        let socket = try await TestSocket.connect(to: server.url, subprotocols: ["tidings.v1"])
        guard case .welcome = try await message(socket) else { throw TestFailure("no welcome") }
        let since = position.map { [channel: $0] } ?? [:]
        for text in Dialect.extended.encode(ClientMessage(id: 1, subscribe: [channel], since: since)) {
            socket.send(String(decoding: text, as: UTF8.self))
        }
        guard case .reply(let reply) = try await message(socket), let answer = reply.subscribed.first else {
            throw TestFailure("\(channel) was refused")
        }
        return (socket, answer)
    }

    private static func message(_ socket: TestSocket) async throws -> ServerMessage {
        let text = try await socket.receive()
        guard let message = Dialect.extended.decodeServerMessage(Array(text.utf8)) else {
            throw TestFailure("not a message: \(text)")
        }
        return message
    }
}
