import Foundation
import SocketTestSupport
import Synchronization
import TestSupport

/// Calls methods of the DevTools protocol over one WebSocket.
final class DevToolsConnection: Sendable {
    /// What a method answered.
    struct Answer: @unchecked Sendable {
        // A tree of JSON that nobody changes.
        let value: [String: Any]

        func string(_ key: String) throws -> String {
            guard let string = value[key] as? String else { throw TestFailure("no \(key) in \(value)") }
            return string
        }
    }

    private let socket: TestSocket
    private let lastIdentifier = Atomic<Int>(0)
    private let answers = Mutex<[Int: Inbox<Answer>]>([:])
    /// Addresses of everything that the pages of each session asked the network for, in order.
    private let requests = Mutex<[String: [String]]>([:])

    private init(socket: TestSocket) {
        self.socket = socket
    }

    static func connect(to url: String) async throws -> DevToolsConnection {
        let connection = DevToolsConnection(
            socket: try await TestSocket.connect(to: url, maximumMessageBytes: 64 << 20)
        )
        Task { [weak connection] in
            // Ends with the connection: then there is no further message.
            while let text = try? await connection?.socket.receive(within: .seconds(3600)) {
                connection?.dispatch(text)
            }
        }
        return connection
    }

    func call(_ method: String, _ parameters: [String: any Sendable], session: String? = nil) async throws -> Answer {
        let identifier = lastIdentifier.add(1, ordering: .relaxed).newValue
        let inbox = Inbox<Answer>()
        answers.withLock { $0[identifier] = inbox }
        defer { answers.withLock { $0[identifier] = nil } }
        var message: [String: Any] = ["id": identifier, "method": method, "params": parameters]
        if let session { message["sessionId"] = session }
        socket.send(String(decoding: try JSONSerialization.data(withJSONObject: message), as: UTF8.self))
        guard let answer = try await inbox.next() else { throw TestFailure("no answer to \(method)") }
        guard let result = answer.value["result"] as? [String: Any] else {
            throw TestFailure("\(method) failed: \(answer.value)")
        }
        return Answer(value: result)
    }

    private func dispatch(_ text: String) {
        guard let object = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] else { return }
        guard let identifier = object["id"] as? Int else { return recordRequest(object) }
        answers.withLock { $0[identifier] }?.put(Answer(value: object))
    }

    /// What a session's page has asked the network for since `Network.enable`: HTTP requests and WebSockets.
    func requests(of session: String) -> [String] { requests.withLock { $0[session] ?? [] } }

    private func recordRequest(_ event: [String: Any]) {
        guard let session = event["sessionId"] as? String, let values = event["params"] as? [String: Any] else {
            return
        }
        let url: String?
        switch event["method"] as? String {
        case "Network.requestWillBeSent": url = (values["request"] as? [String: Any])?["url"] as? String
        case "Network.webSocketCreated": url = values["url"] as? String
        default: url = nil
        }
        guard let url else { return }
        requests.withLock { $0[session, default: []].append(url) }
    }
}
