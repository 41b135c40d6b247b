public import FoundationEssentials
import Synchronization

/// The entities of an application, in their database.
///
/// ```swift
/// let entities = try Entities([Order.self, MenuItem.self, Settings.self], in: store)
/// try await entities.prepare()
/// ```
///
/// All methods can be called from any task or thread at any time.
public final class Entities: Sendable {
    /// How entities are kept.
    public struct Configuration: Sendable {
        /// How long the audit is kept; nil: for good.
        public var auditRetention: Duration? = nil
        /// How long the answer to a request with an idempotency key is kept.
        public var idempotencyRetention: Duration = .seconds(24 * 3600)
        /// How long an event is kept in the outbox at least, for clients that come back.
        public var outboxRetention: Duration = .seconds(24 * 3600)
        /// How many events are kept in the outbox at least.
        public var outboxRows = 100_000
        /// How long events are kept besides for a subscriber (``OutboxSubscription``) that does not run.
        public var subscriptionRetention: Duration = .seconds(7 * 24 * 3600)
        /// What time it is.
        public var now: @Sendable () -> Date = { Date() }

        /// Starts with what most applications want.
        public init() {}
    }

    /// Where they are kept.
    public let store: any EntityStore
    /// How they are kept.
    public let configuration: Configuration
    let catalog: EntityCatalog
    /// Where the positions of events become known that get theirs after the commit.
    let positions = PositionBoard()
    /// Those who want to know at once that something was committed here.
    private let watchers = Mutex<[UInt64: @Sendable () -> Void]>([:])
    private let lastWatcher = Atomic<UInt64>(0)

    /// Checks declarations.
    ///
    /// - Parameters:
    ///   - types: The entities. Children come with their parents.
    ///   - store: Where they are kept.
    ///   - configuration: How they are kept.
    /// - Throws: ``EntityDeclarationError`` that says everything that is wrong with the declarations.
    public init(
        _ types: [any Entity.Type],
        in store: any EntityStore,
        configuration: Configuration = Configuration()
    ) throws(EntityDeclarationError) {
        catalog = EntityCatalog(try SchemaBuilder.schemas(of: types))
        self.store = store
        self.configuration = configuration
    }

    /// Makes the tables that are missing and adds what is missing to those that are there. Call it before anything else;
    /// calling it again does nothing.
    ///
    /// - Throws: ``StoreError/Code/schema`` if adding is not enough: it spells out every difference, and nothing was
    ///   changed.
    public func prepare() async throws {
        let migration = Migration(schemas: catalog.schemas, dialect: store.dialect)
        let singletons = catalog.schemas.filter(\.isSingleton)
        let (catalog, configuration) = (catalog, configuration)
        try await store.write { connection in
            try migration.run(on: connection)
            for schema in singletons {
                let rows = EntityRows(schema: schema, connection: connection)
                guard try rows.record(of: EntitySchema.singletonID) == nil else { continue }
                let unit = UnitOfWork(
                    connection: connection,
                    context: ChangeContext(),
                    catalog: catalog,
                    configuration: configuration
                )
                var values = [SQLValue?](repeating: nil, count: schema.columns.count)
                values[schema.roles.key] = .uuid(EntitySchema.singletonID)
                _ = try unit.create(schema, values)
                _ = try unit.finish()
            }
        }
        committed()
    }
}

extension EntitySchema {
    /// The identifier of an entity that there is one of.
    static let singletonID = UUID(uuid: (0, 0, 0, 0, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, 1))
}

// MARK: - Reading and writing

extension Entities {
    /// Reads entities as they are at one moment.
    ///
    /// - Parameter body: Reads. It runs on a thread of the store's.
    /// - Throws: What the body and the store throw.
    public func read<Result: Sendable>(
        _ body: @escaping @Sendable (EntityReader) throws -> Result
    ) async throws -> Result {
        let catalog = catalog
        return try await store.read { try body(EntityReader(connection: $0, catalog: catalog)) }
    }

    /// Changes entities in one transaction. When it is committed, clients are told.
    ///
    /// - Parameters:
    ///   - context: Who makes the change, and as part of what.
    ///   - body: Makes the change. It runs once, on a thread of the store's; when it throws, nothing has happened.
    /// - Returns: What the body returns, after it is committed.
    /// - Throws: What the body and the store throw.
    @discardableResult
    public func write<Result: Sendable>(
        as context: ChangeContext = ChangeContext(),
        _ body: @escaping @Sendable (UnitOfWork) throws -> Result
    ) async throws -> Result {
        try await commit(as: context, body).result
    }

    /// Changes entities in one transaction, and says what will be told.
    func commit<Result: Sendable>(
        as context: ChangeContext,
        _ body: @escaping @Sendable (UnitOfWork) throws -> Result
    ) async throws -> (result: Result, events: WrittenEvents) {
        let (catalog, configuration) = (catalog, configuration)
        let committed = try await store.write { connection in
            let unit = UnitOfWork(
                connection: connection,
                context: context,
                catalog: catalog,
                configuration: configuration
            )
            let result = try body(unit)
            return (result: result, events: try unit.finish())
        }
        if committed.events.last != nil { self.committed() }
        return committed
    }
}

// MARK: - Who wants to know

extension Entities {
    /// Calls a function after each transaction of this process that told something, until ``removeWatcher(_:)``.
    ///
    /// - Parameter changed: Called on any thread. It must return at once.
    func addWatcher(_ changed: @escaping @Sendable () -> Void) -> UInt64 {
        let identifier = lastWatcher.add(1, ordering: .relaxed).newValue
        watchers.withLock { $0[identifier] = changed }
        return identifier
    }

    func removeWatcher(_ identifier: UInt64) {
        watchers.withLock { $0[identifier] = nil }
    }

    private func committed() {
        for changed in watchers.withLock({ Array($0.values) }) { changed() }
    }
}

// MARK: - Restoring

extension Entities {
    /// Gives the outbox another life: every client refetches what it shows. For a database that was restored from a backup
    /// while no server ran; a relay that runs notices by itself.
    ///
    /// - Throws: ``StoreError``.
    public func renewOutbox() async throws {
        try await store.write { try OutboxHead.renew(on: $0) }
        committed()
    }
}
