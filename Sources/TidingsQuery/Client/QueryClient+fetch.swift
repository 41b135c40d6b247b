extension QueryClient {
    /// The data of a query: from the cache if it is fresh, otherwise fetched. Everybody who asks at the same time awaits
    /// the same fetch; after an invalidation during it, the one that follows.
    ///
    /// Failed attempts are not repeated unless the query says so.
    ///
    /// - Parameter query: What to get.
    /// - Throws: What the fetch failed with; ``QueryError`` if it was cancelled or cannot be made; `CancellationError`
    ///   when the calling task is cancelled, which does not cancel the fetch.
    @discardableResult
    public func fetch<Value>(_ query: Query<Value>) async throws -> Value {
        let answer = withEntry(of: query) { cache, entry -> Answer<Value> in
            let staleTime = cache.options(of: query).staleTime ?? .zero
            if let data = entry.machine.data, !entry.machine.isStale(staleTime, at: cache.now) {
                return .data(data)
            }
            return .ticket(cache.fetch(entry, FetchOptions(retry: .never), by: self))
        }
        switch answer {
        case nil: throw QueryError.typeMismatch(query.key)
        case .data(let data): return data
        case .ticket(let ticket): return try await ticket.value()
        }
    }

    /// Fetches a query if it is not fresh, for those who will need it. Errors show in the entry only.
    ///
    /// - Parameter query: What to get.
    public func prefetch<Value>(_ query: Query<Value>) async {
        _ = try? await fetch(query)
    }

    /// The data of a query: from the cache however old it is, otherwise fetched.
    ///
    /// - Parameters:
    ///   - query: What to get.
    ///   - isRevalidating: Whether data that is stale is also fetched anew, without waiting for it.
    /// - Throws: As ``fetch(_:)``.
    public func ensureData<Value>(of query: Query<Value>, isRevalidating: Bool = false) async throws -> Value {
        let data = withEntry(of: query) { cache, entry -> Value? in
            guard let data = entry.machine.data else { return nil }
            let staleTime = cache.options(of: query).staleTime ?? .zero
            if isRevalidating, entry.machine.isStale(staleTime, at: cache.now) {
                _ = cache.fetch(entry, FetchOptions(retry: .never), by: self)
            }
            return data
        }
        if let data = data ?? nil { return data }
        return try await fetch(query)
    }

    private enum Answer<Value: Sendable>: Sendable {
        case data(Value)
        case ticket(FetchTicket<Value>)
    }
}

// MARK: - The attempts of a fetch

extension QueryClient {
    /// Makes the attempts of a fetch, until one succeeds, the policy gives up, or the fetch has to pause.
    func perform<Value>(_ run: FetchRun<Value>) async {
        while true {
            let value: Value
            do {
                value = try await run.attempt()
            } catch {
                guard await waitAndRetry(run, after: error) else { return }
                continue
            }
            return arrived(run, value)
        }
    }

    /// - Returns: Whether the next attempt is to be made now.
    private func waitAndRetry<Value>(_ run: FetchRun<Value>, after error: any Error) async -> Bool {
        let wait = run.retry.wait(after: error, failures: run.failures, random: randomNumber())
        let isWaiting = withCache { cache in
            cache.entry(of: run).map { cache.failed($0, run, error, wait: wait, by: self) } ?? false
        }
        guard isWaiting, let wait else { return false }
        run.countFailure()
        do { try await time.sleep(until: time.now + wait) } catch { return false }
        return withCache { cache in
            cache.entry(of: run).map { cache.waited($0, run, error, by: self) } ?? false
        }
    }

    private func arrived<Value>(_ run: FetchRun<Value>, _ value: Value) {
        edit(
            find: { $0.entry(of: run) },
            change: { $0.arrive(value) },
            commit: { cache, entry, edit, missedChanges in
                cache.arrived(entry, run, edit, missedChanges: missedChanges, by: self)
            }
        )
    }
}
