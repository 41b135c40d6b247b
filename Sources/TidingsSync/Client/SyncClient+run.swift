public import ServiceLifecycle
import Synchronization

extension SyncClient: Service {
    /// Keeps the client connected and its cache right, until the task is cancelled or the service is asked to shut down.
    ///
    /// In an application with windows, call it from the `task` of the outermost view. Calls may overlap, as they do when
    /// such a view takes the place of another one: the last one to end disconnects. A server that cannot be reached, or
    /// that refuses the connection, is no reason to end; ``BroadcastClient/state`` tells.
    public func run() async {
        countRunners(by: 1)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.queries.run() }
            group.addTask { await self.wakeForCache() }
            group.addTask { await self.runEngine() }
            group.addTask { await self.runFallbacks() }
            try? await gracefulShutdown()
            group.cancelAll()
        }
        countRunners(by: -1)
    }

    private func countRunners(by change: Int) {
        let count = runners.add(change, ordering: .relaxed).newValue
        if count == 1, change == 1 { broadcast.connect() }
        guard count == 0 else { return }
        broadcast.disconnect()
    }

    private func runEngine() async {
        while !Task.isCancelled {
            let known = inbox.bell.rings
            let next = work()
            await inbox.bell.wait(after: known, until: next, queries.time)
        }
        // Another one may have relied on this one.
        inbox.bell.ring()
    }

    /// What the engine needs to know of the cache: what has come, what could not be had, and that a change is settled.
    func wakeForCache() async {
        for await event in queries.events(buffered: 4_096) {
            switch event {
            case .fetchSucceeded(let key), .dataSet(let key), .restored(let key), .removed(let key):
                inbox.put(.settled(key))
            case .fetchFailed(let key, let error): inbox.put(.failed(key, error))
            case .fetchCancelled: inbox.bell.ring()
            case .mutation(_, let status) where !status.isPending: inbox.bell.ring()
            default: break
            }
        }
    }
}
