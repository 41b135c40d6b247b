public import Hummingbird
import Logging
public import ServiceLifecycle
public import TidingsBroadcast
public import UnixSignals

/// Lets the clients of a broadcast backend go before the server that serves them: on graceful shutdown `/readyz` turns
/// 503, new sockets are refused, and the open ones are closed one after the other with 4000, over
/// `drainWindow` of the hub's configuration.
///
/// Services shut down in the reverse of their order, each when the one behind it has ended: name the application first.
///
/// ```swift
/// ServiceGroup(services: [application, BroadcastDrain(broadcast)], …)
/// ```
public struct BroadcastDrain: Service {
    private let broadcast: WebSocketBroadcastBackend

    /// Makes the service.
    ///
    /// - Parameter broadcast: Whose clients are let go.
    public init(_ broadcast: WebSocketBroadcastBackend) {
        self.broadcast = broadcast
    }

    /// Waits for graceful shutdown, then drains. When the task is cancelled every client is cut off at once.
    public func run() async throws {
        try? await gracefulShutdown()
        await broadcast.hub.drain()
    }
}

extension ApplicationProtocol {
    /// Runs the application until a signal comes, then lets the clients of a broadcast backend go and stops.
    ///
    /// The first signal starts a graceful shutdown with ``BroadcastDrain``. A second one stops at once.
    ///
    /// - Parameters:
    ///   - broadcast: Whose clients are let go.
    ///   - signals: The signals that stop the application.
    /// - Throws: What the application throws.
    public func runService(
        draining broadcast: WebSocketBroadcastBackend,
        on signals: [UnixSignal] = [.sigterm, .sigint]
    ) async throws {
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: [self, BroadcastDrain(broadcast)], logger: logger)
        )
        let signals = await UnixSignalsSequence(trapping: signals)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            tasks.addTask {
                var count = 0
                for await _ in signals {
                    count += 1
                    if count == 1 { await group.triggerGracefulShutdown() } else { throw CancellationError() }
                }
            }
            // Whatever ends first ends the rest: the application, or a second signal.
            defer { tasks.cancelAll() }
            do {
                try await tasks.next()
            } catch is CancellationError {
                logger.warning("stopped at once, by a second signal")
            }
        }
    }
}
