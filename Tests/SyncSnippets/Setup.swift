import BistroAPI
import Foundation
import TidingsSync

func makeClient() throws -> SyncClient {
    // snippet: client
    let sync = try SyncClient(baseURL: "https://bistro.example.com") { configuration in
        configuration.token = { try await Session.current.token() }
        configuration.mutations.retry = .forever
    }
    // end
    return sync
}

func run(_ sync: SyncClient) async {
    // snippet: run
    await sync.run()
    // end
}

/// Who the user is.
struct Session {
    static let current = Session()

    func token() async throws -> String? { nil }
}

func show(_ orders: [Order]) {}
func show(_ message: String) {}
func showBanner(_ text: String) {}
func showConflict(mine: Order, theirs: Order) {}
