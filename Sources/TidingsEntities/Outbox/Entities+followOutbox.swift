extension Entities {
    /// Does something whenever the outbox may have grown: at once, after this process committed something, when the
    /// database tells that another one did, and at intervals. Once at a time; what comes meanwhile is one time more.
    ///
    /// Ends when the task is cancelled.
    ///
    /// - Parameters:
    ///   - interval: How long it waits at most.
    ///   - clock: Measures the intervals.
    ///   - body: What is done, and whether it goes on.
    func followOutbox(
        every interval: @escaping @Sendable () -> Duration,
        clock: any Clock<Duration>,
        _ body: @escaping @Sendable () async -> Bool
    ) async {
        let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let watcher = addWatcher { wake.yield() }
        wake.yield()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.store.watchOutbox { wake.yield() } }
            group.addTask {
                while !Task.isCancelled {
                    try? await clock.sleep(for: interval())
                    wake.yield()
                }
            }
            for await _ in wakes {
                guard !Task.isCancelled, await body() else { break }
            }
            group.cancelAll()
        }
        removeWatcher(watcher)
        wake.finish()
    }
}
