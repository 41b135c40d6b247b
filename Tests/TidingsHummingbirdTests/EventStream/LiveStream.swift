import SocketTestSupport
import TestSupport

/// A reader of server-sent events on a connection of its own.
final class LiveStream {
    let connection: RawConnection
    /// The head of the answer.
    private(set) var head = ""
    private(set) var reader = EventStreamReader()
    private var messages: [EventStreamReader.Message] = []

    private init(_ connection: RawConnection) {
        self.connection = connection
    }

    /// Asks for a stream and reads the head of the answer.
    static func connect(
        _ server: TestServer,
        _ target: String,
        headers: [(String, String)] = [],
        on connection: RawConnection? = nil
    ) async throws -> LiveStream {
        let connection =
            if let connection { connection } else { try await RawConnection.connect(port: server.port) }
        let stream = LiveStream(connection)
        let fields = ([("Host", "127.0.0.1:\(server.port)")] + headers).map { "\($0): \($1)\r\n" }.joined()
        try await connection.send("GET \(target) HTTP/1.1\r\n\(fields)\r\n")
        var text = try await connection.receive(until: "\r\n\r\n")
        let end = try stream.end(ofHead: text)
        stream.head = String(text[..<end])
        text.removeSubrange(..<end)
        stream.read(Array(text.utf8))
        return stream
    }

    private func end(ofHead text: String) throws -> String.Index {
        guard let end = text.firstRange(of: "\r\n\r\n")?.upperBound else { throw TestFailure("there is no head") }
        return end
    }

    private func read(_ bytes: [UInt8]) {
        messages += reader.read(bytes)
    }

    /// The next message. Fails if the stream ends first, or after a while.
    func next() async throws -> EventStreamReader.Message {
        while messages.isEmpty {
            guard let bytes = try await connection.receive() else { throw TestFailure("the stream has ended") }
            read(bytes)
        }
        return messages.removeFirst()
    }

    /// Reads until something is so that is no message.
    func read(until isTrue: (EventStreamReader) -> Bool) async throws {
        while !isTrue(reader) {
            guard let bytes = try await connection.receive() else { throw TestFailure("the stream has ended") }
            read(bytes)
        }
    }

    /// Everything until the end.
    func rest() async throws -> [EventStreamReader.Message] {
        read(try await connection.receiveAll())
        defer { messages = [] }
        return messages
    }

    func close() async {
        await connection.close()
    }
}
