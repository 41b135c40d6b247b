import ArgumentParser
import Foundation
import NIOCore
import NIOPosix
import Synchronization
import TidingsClient
import TidingsWire

/// Runs every case of a fuzzing server: connects, and echoes until the server closes.
struct EchoClient: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "client", abstract: "Echo to every case of a server.")

    @Argument(help: "The fuzzing server: ws://127.0.0.1:9001")
    var server: String

    @Option(help: "The name in the server's report.")
    var agent = "tidings"

    func run() async throws {
        let count = Int(try await Self.talk(to: "\(server)/getCaseCount", echoes: false).last ?? "") ?? 0
        for number in 0..<count {
            _ = try await Self.talk(to: "\(server)/runCase?case=\(number + 1)&agent=\(agent)", echoes: true)
        }
        _ = try await Self.talk(to: "\(server)/updateReports?agent=\(agent)&shutdownOnComplete=true", echoes: false)
        print("\(count) cases")
    }

    /// Connects and stays until the connection ends.
    ///
    /// Echoes leave on the event loop, within the turn that brought the message: a suite that breaks a rule right behind
    /// a message expects the echo first.
    ///
    /// - Returns: The texts that came.
    private static func talk(to url: String, echoes: Bool) async throws -> [String] {
        let (texts, continuation) = AsyncStream.makeStream(of: String.self)
        let opened = Mutex<WebSocketConnection?>(nil)
        var connector = WebSocketConnector()
        connector.maximumMessageBytes = Conformance.messageBytes
        connector.offersCompression = true
        _ = try await connector.connect(
            to: WebSocketEndpoint(url),
            on: MultiThreadedEventLoopGroup.singleton.next(),
            received: { message in
                let connection = opened.withLock { $0 }
                switch message {
                case .text(let text) where echoes: connection?.send(text)
                case .binary(let bytes) where echoes: connection?.send(binary: bytes)
                case .text(let text): continuation.yield(String(decoding: text, as: UTF8.self))
                default: break
                }
            },
            closed: { _, _, _ in continuation.finish() }
        ).map { connection in opened.withLock { $0 = connection } }.get()
        return await texts.reduce(into: []) { $0.append($1) }
    }
}
