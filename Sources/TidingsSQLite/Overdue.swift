/// Work took longer than it may, and ended because it was cancelled.
struct Overdue: Error {}

/// Cancels work that takes too long.
///
/// What the work returns or throws counts even at the last moment: something that is committed is never called cancelled.
///
/// - Throws: ``Overdue`` if the work ended with `CancellationError` because its time was over.
func within<Result: Sendable>(
    _ limit: Duration,
    _ work: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask { try await work() }
        group.addTask {
            try? await Task.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        if let result = try await group.next() ?? nil { return result }
        // The timer was first: because the time is over, or because the task was cancelled.
        group.cancelAll()
        do {
            if let result = try await group.next() ?? nil { return result }
        } catch is CancellationError where !Task.isCancelled {
            throw Overdue()
        }
        throw CancellationError()
    }
}
