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
        // From before anything is fetched on account of running.
        let changes = queries.events(buffered: 65_536)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.queries.run() }
            group.addTask { await self.listen(to: changes) }
            group.addTask { await self.runEngine() }
            group.addTask { await self.runFallbacks() }
            try? await gracefulShutdown()
            group.cancelAll()
        }
        countRunners(by: -1)
    }

    private func countRunners(by change: Int) {
        // Who connects and who disconnects take turns, so that the last word is right.
        runners.withLock { runners in
            runners += change
            if runners == 0 { broadcast.disconnect() } else if change > 0 { broadcast.connect() }
        }
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
    func listen(to changes: some AsyncSequence<QueryEvent, Never> & Sendable) async {
        inbox.bell.ring()
        for await change in changes {
            switch change {
            case .fetchSucceeded(let key), .dataSet(let key), .removed(let key): inbox.put(.settled(key))
            case .restored(let key): inbox.put(.restored(key))
            case .fetchFailed(let key, let error): inbox.put(.failed(key, error))
            case .fetchCancelled: inbox.bell.ring()
            case .mutation(_, let status) where !status.isPending: inbox.bell.ring()
            default: break
            }
        }
    }
}
