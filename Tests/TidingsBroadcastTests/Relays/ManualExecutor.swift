import Synchronization

/// Runs the jobs of its tasks when a test says so, on the test's thread.
final class ManualExecutor: TaskExecutor {
    private let jobs = Mutex<[UnownedJob]>([])

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
    }

    /// Runs what there is, and what follows from it. What goes on an event loop from there waits for the loop.
    ///
    /// - Returns: Whether there was anything.
    @discardableResult
    func run() -> Bool {
        var hasRun = false
        while let job = jobs.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) {
            job.runSynchronously(on: asUnownedTaskExecutor())
            hasRun = true
        }
        return hasRun
    }
}
