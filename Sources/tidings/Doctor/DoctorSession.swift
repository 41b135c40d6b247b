import NIOCore
import NIOPosix
import TidingsClient
import TidingsWire

/// One connection, whose messages the doctor reads one by one.
struct DoctorSession: Sendable {
    enum Incoming: Sendable {
        case message(ServerMessage)
        case closed(CloseCode, reason: String)
    }

    private let connection: WebSocketConnection
    private let incoming: AsyncStream<Incoming>
    private let patience: Duration

    /// Connects.
    ///
    /// - Parameters:
    ///   - patience: How long each answer may take.
    /// - Throws: What ``TidingsClient/WebSocketConnector`` fails with.
    static func open(
        _ endpoint: WebSocketEndpoint,
        _ connector: WebSocketConnector,
        headers: [(name: String, value: String)],
        patience: Duration
    ) async throws -> DoctorSession {
        // The doctor asks little; a server that tells more than this on its channel is not waited for.
        let (incoming, continuation) = AsyncStream.makeStream(
            of: Incoming.self,
            bufferingPolicy: .bufferingOldest(1000)
        )
        let connection = try await connector.connect(
            to: endpoint,
            headers: headers,
            on: MultiThreadedEventLoopGroup.singleton.next(),
            received: { message in
                guard case .text(let text) = message else { return }
                if let message = Dialect.extended.decodeServerMessage(text) { continuation.yield(.message(message)) }
            },
            closed: { code, reason, _ in
                continuation.yield(.closed(code, reason: reason))
                continuation.finish()
            }
        ).get()
        return DoctorSession(connection: connection, incoming: incoming, patience: patience)
    }

    func send(_ message: ClientMessage) {
        for text in Dialect.extended.encode(message) { connection.send(text) }
    }

    func close() {
        connection.close()
    }

    /// The first answer of which something can be made; nil if none comes in time.
    func first<Answer: Sendable>(_ make: @escaping @Sendable (Incoming) -> Answer?) async -> Answer? {
        await withTaskGroup(of: Answer?.self) { group in
            group.addTask {
                for await message in incoming {
                    if let answer = make(message) { return answer }
                }
                return nil
            }
            group.addTask {
                try? await Task.sleep(for: patience)
                return nil
            }
            let answer = await group.next() ?? nil
            group.cancelAll()
            return answer
        }
    }
}
