import Foundation
import Synchronization
import TidingsEntities

/// A store that ends its process, as `kill -9` does, at a point of the next transaction that writes.
final class MortalStore: EntityStore {
    enum Point: String {
        case beforeCommit = "before-commit"
        case afterCommit = "after-commit"
    }

    private let store: any EntityStore
    private let isDeaf: Bool
    private let point = Mutex<Point?>(nil)

    init(_ store: any EntityStore, isDeaf: Bool) {
        self.store = store
        self.isDeaf = isDeaf
    }

    var dialect: SQLDialect { store.dialect }

    func arm(_ point: Point) {
        self.point.withLock { $0 = point }
    }

    func read<Result: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Result
    ) async throws -> Result {
        try await store.read(body)
    }

    func write<Result: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Result
    ) async throws -> Result {
        let armed = point.withLock { $0 }
        let result = try await store.write { connection in
            let result = try body(connection)
            if armed == .beforeCommit { Self.die() }
            return result
        }
        if armed == .afterCommit { Self.die() }
        return result
    }

    func stampOutbox() async throws -> Bool { try await store.stampOutbox() }

    func watchOutbox(_ changed: @escaping @Sendable () -> Void) async {
        guard isDeaf else { return await store.watchOutbox(changed) }
        // Until the task is cancelled: nobody writes to the stream.
        for await _ in AsyncStream.makeStream(of: Void.self).stream {}
    }

    func close() async { await store.close() }

    private static func die() {
        kill(getpid(), SIGKILL)
    }
}
