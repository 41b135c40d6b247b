import ArgumentParser
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import TidingsWire

/// `tidings publish`: tells a channel something.
struct Publish: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Publish one event, and print its position.",
        discussion: """
            Sends POST /broadcast to the server of a WebSocket's URL. Whether it is taken is up to the token's "publish" \
            and the server's channels.publishable.

            Examples:
              tidings publish ws://127.0.0.1:8080/ws/broadcast bell
              tidings publish wss://example.com/ws/broadcast order '{"entity_id": "42"}' --event created

            Exit status: 0 when it was published, 1 when it was not, 64 when the arguments are wrong.
            """
    )

    @Argument(help: "The server's WebSocket URL: ws://host:port/ws/broadcast, or wss:// for TLS.")
    var url: String

    @Argument(help: "The channel.", transform: { try ChannelName($0) })
    var channel: ChannelName

    @Argument(help: "The payload, a JSON object.", transform: { try EventPayload(json: Array($0.utf8)) })
    var payload = EventPayload()

    @Option(help: "The event's name.", transform: { try EventName($0) })
    var event = EventName.updated

    @OptionGroup var credentials: ClientCredentials

    mutating func validate() throws {
        _ = try ServerURL(url)
    }

    func run() async throws {
        var configuration = HTTPClient.Configuration()
        configuration.tlsConfiguration = credentials.tls
        configuration.timeout.connect = .seconds(10)
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(configuration: configuration)
        let result: Result<String, PublishError>
        do throws(PublishError) {
            result = .success(try await publish(with: client))
        } catch {
            result = .failure(error)
        }
        try? await client.shutdown()
        switch result {
        case .success(let position): Console.print(position)
        case .failure(let error):
            Console.complain("tidings publish: \(error.message)")
            throw ExitCode.failure
        }
    }

    /// - Returns: The event's position.
    private func publish(with client: HTTPClient) async throws(PublishError) -> String {
        do {
            var request = HTTPClientRequest(url: try ServerURL(url).route("/broadcast"))
            request.method = .POST
            request.headers.add(name: "Content-Type", value: "application/json")
            if let token = credentials.bearer {
                request.headers.add(name: "Authorization", value: "Bearer \(token)")
            }
            let event = BroadcastEvent(channel: channel, name: event, payload: payload)
            request.body = .bytes(ByteBuffer(bytes: Dialect.plain.encode(event)))
            let response = try await client.execute(request, timeout: .seconds(30))
            let body = try await response.body.collect(upTo: 1 << 20)
            guard response.status == .accepted else { throw PublishError(response.status.code, body) }
            return response.headers.first(name: "Tidings-Position") ?? ""
        } catch let error as PublishError {
            throw error
        } catch {
            throw PublishError(message: "the server cannot be reached (\(error)). Ask tidings doctor what is wrong.")
        }
    }
}

/// Why an event was not published.
struct PublishError: Error {
    /// What went wrong, and what to do.
    let message: String

    init(message: String) {
        self.message = message
    }

    /// An answer that says no.
    init(_ status: UInt, _ body: ByteBuffer) {
        struct Problem: Decodable {
            let detail: String?
        }
        let problem = try? JSONDecoder().decode(Problem.self, from: Data(body.readableBytesView))
        message = "the server refused with status \(status)" + (problem?.detail.map { ": \($0)" } ?? ".")
    }
}
