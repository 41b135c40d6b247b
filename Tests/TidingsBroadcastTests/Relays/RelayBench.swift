import Logging
import NIOCore
import NIOEmbedded
import Testing
import TidingsTesting
import TidingsWire

@testable import TidingsBroadcast

/// A hub with a table that is relayed into it, on a loop and an executor that move only when a test says so.
final class RelayBench {
    let loop = EmbeddedEventLoop()
    let executor = ManualExecutor()
    let table: TableLog
    let hub: BroadcastHub
    let relayed: RelayedLog

    /// Every channel but those that begin with `free` belongs to the table.
    init(
        table: TableLog = TableLog(),
        memory: InMemoryEventLog.Limits = .init(),
        logger: Logger = Logger(label: "test"),
        _ change: (inout BroadcastHub.Configuration) -> Void = { _ in }
    ) {
        var configuration = BroadcastHub.Configuration()
        configuration.clientMessagesPerSecond = 1_000_000
        configuration.clientMessageBurst = 1_000_000
        configuration.executor = executor
        change(&configuration)
        self.table = table
        hub = BroadcastHub(configuration: configuration, logger: logger)
        let log = InMemoryEventLog(limits: memory, clock: ManualClock())
        relayed = hub.relay(table, memory: log) { !$0.rawValue.hasPrefix("free") }
    }

    /// Lets tasks and loop go on until nothing is left that goes on without something from outside.
    func settle() {
        repeat { loop.run() } while executor.run()
        loop.run()
    }

    /// Tells the hub what was committed up to a position and not told.
    func deliver(upTo offset: UInt64 = .max) {
        relayed.deliver(table.entries(after: relayed.head?.offset ?? 0, upTo: offset))
    }

    func begin(after offset: UInt64, keeping recent: Int = 0) {
        relayed.begin(
            after: EventPosition(epoch: table.position.epoch, offset: offset),
            recent: table.entries(after: 0, upTo: offset).suffix(recent)
        )
    }

    /// A client that has been welcomed.
    func connect() throws -> ExtendedClient {
        let client = try ExtendedClient(hub, loop)
        _ = try client.receive()
        return client
    }
}

extension ExtendedClient {
    /// Asks for channels from a position.
    func subscribe(_ channels: ChannelName..., since position: EventPosition? = nil, id: Int = 1) throws {
        let since = position.map { position in Dictionary(uniqueKeysWithValues: channels.map { ($0, position) }) }
        try send(ClientMessage(id: RequestIdentifier(id), subscribe: channels, since: since ?? [:]))
    }
}

extension [ServerMessage] {
    /// What was subscribed, by all replies.
    var subscribed: [SubscribedChannel] {
        flatMap { message -> [SubscribedChannel] in
            guard case .reply(let reply) = message else { return [] }
            return reply.subscribed
        }
    }

    var offsets: [UInt64] { compactMap { $0.event?.position?.offset } }
}
