import ArgumentParser
import Foundation
import Logging
import TidingsSync

/// Where the restaurant is.
struct ServerOptions: ParsableArguments {
    @Option(help: "Where the restaurant is.")
    var url = "http://127.0.0.1:8080"

    /// A client that writes nothing anywhere: what it has to say is on the screen.
    func client() throws -> SyncClient {
        let logger = Logger(label: "bistro") { _ in SwiftLogNoOpLogHandler() }
        do {
            return try SyncClient(baseURL: url) { configuration in
                configuration.logger = logger
                configuration.queries.logger = logger
                configuration.broadcast.logger = logger
                // A server that is started again is waited for, about a quarter of a minute.
                configuration.mutations.retry = .times(4)
            }
        } catch {
            throw CommandFailure("\(url.printable) is no place of a restaurant. \(Failure.sentence(error))")
        }
    }

    /// Fetches something that the command cannot do without.
    func first<Value>(_ query: Query<Value>, _ sync: SyncClient) async throws -> Value {
        do {
            return try await sync.queries.fetch(query)
        } catch let error as APIError {
            throw failure(error)
        }
    }

    func failure(_ error: APIError) -> CommandFailure {
        switch error.code {
        case .unreachable: CommandFailure("No restaurant answers at \(url.printable): is it open there?")
        case .unreadable, .refused:
            CommandFailure("What answers at \(url.printable) is no restaurant. \(error.message)")
        default: CommandFailure(Failure.sentence(error))
        }
    }
}
