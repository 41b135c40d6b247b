public import FoundationEssentials
import TidingsBroadcast
import TidingsWire

/// One transaction over entities: what it changes, what the audit says about it, and what clients will be told are written
/// together, or not at all.
///
/// ```swift
/// try await entities.write { unit in
///     let order = try unit.insert(Order.self) { $0.table = "7" }
///     try unit.add(OrderItem.self, to: order) { $0.name = "Tea" }
/// }
/// ```
///
/// Nothing is told from inside: clients hear of it when the transaction is committed. A unit of work is good until the
/// closure that it was given to returns, and only on its thread.
public final class UnitOfWork {
    /// For whom a unit of work is.
    enum Asker {
        /// The application's own code, which sees everything.
        case application
        /// A request, of nobody in particular if the identity is nil.
        case request(Identity?)
    }

    /// The transaction's connection, for the application's own tables.
    public let connection: any SQLConnection
    /// Who makes the changes, and as part of what.
    public let context: ChangeContext
    /// What time it is: the same throughout the transaction, to the millisecond.
    public let now: Date
    let catalog: EntityCatalog
    let configuration: Entities.Configuration
    /// For whom it is: who asks for something may name only what they can see.
    var asker = Asker.application
    /// What clients will be told, in order.
    var events: [OutboxEvent] = []
    /// What came between the parts of a change: the transaction is not committed, even if somebody caught it.
    private var failure: (any Error)?

    init(
        connection: any SQLConnection,
        context: ChangeContext,
        catalog: EntityCatalog,
        configuration: Entities.Configuration
    ) {
        self.connection = connection
        self.context = context
        self.catalog = catalog
        self.configuration = configuration
        let time = configuration.now().timeIntervalSince1970
        now = Date(timeIntervalSince1970: (time * 1000).rounded(.down) / 1000)
    }

    func rows(of schema: EntitySchema) -> EntityRows { EntityRows(schema: schema, connection: connection) }

    /// Does something of which no half may be committed.
    func entirely<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch {
            failure = failure ?? error
            throw error
        }
    }

    /// Writes what clients will be told. The last thing that the transaction does.
    ///
    /// - Returns: The event's identifiers and, where they are known already, their positions.
    func finish() throws -> WrittenEvents {
        if let failure { throw failure }
        let offset = try OutboxEvent.write(events, as: context, at: now, on: connection)
        var written = WrittenEvents(last: events.last?.id, time: now)
        if let offset { written.position = EventPosition(epoch: try OutboxHead.epoch(on: connection), offset: offset) }
        return written
    }
}

/// What a transaction told.
struct WrittenEvents: Sendable {
    /// The last event; nil if there was none.
    let last: UUID?
    /// When it was written.
    let time: Date
    /// Its position, if it was given when the event was written.
    var position: EventPosition?
}
