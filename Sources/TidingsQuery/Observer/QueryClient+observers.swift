import Logging

/// What an observer finds when it comes to an entry.
struct Mounted<Value: Sendable>: Sendable {
    let registration: UInt64
    let state: EntryState<Value>
    let updates: (data: Int, errors: Int)
}

/// How an observer comes to an entry.
enum Arrival: Sendable {
    /// It begins to observe.
    case start
    /// It observed another entry until now.
    case move
    /// It observed the same entry until now, with another definition.
    case stay
    /// It observed the same entry until now, and it was not live: ``QueryOptions/isLive``.
    case wake
}

extension QueryClient {
    /// How a query behaves for who observes it: what is not live grows stale by what happens, not by its age.
    func observedOptions<Value>(of query: Query<Value>) -> QueryOptions {
        var options = options(of: query)
        if query.options.isLive == false { options.staleTime = query.options.staleTime ?? .infinite }
        return options
    }

    /// An observer comes to an entry.
    ///
    /// - Returns: Nil if the key belongs to another type.
    func mount<Value>(
        _ observer: any EntryObserver<Value>,
        on query: Query<Value>,
        _ settings: ObserverSettings,
        _ arrival: Arrival
    ) -> Mounted<Value>? {
        let mounted = withEntry(of: query) { $0.mount(observer, on: $1, settings, arrival, by: self) }
        if mounted == nil { configuration.logger.error("\(QueryError.typeMismatch(query.key))") }
        return mounted
    }

    func unmount<Value>(_ registration: UInt64, from query: Query<Value>) {
        withCache { cache in
            guard let entry = cache.entry(query),
                let index = entry.registrations.firstIndex(where: { $0.identifier == registration })
            else { return }
            cache.effects.release(entry.registrations.remove(at: index))
            cache.effects.release(entry.observers.remove(at: index))
            cache.inspection.record(.observerRemoved(entry.key))
            if !entry.isObserved { cache.lastObserverLeft(entry) }
        }
    }

    func update<Value>(_ registration: UInt64, on query: Query<Value>, to settings: ObserverSettings) {
        withCache { cache in
            guard let entry = cache.entry(query),
                let index = entry.registrations.firstIndex(where: { $0.identifier == registration })
            else { return }
            let wasEnabled = entry.registrations[index].settings.isEnabled
            cache.effects.release(entry.registrations[index].settings)
            entry.registrations[index].settings = settings
            entry.registrations[index].intervalStart = cache.now
            cache.changed(entry, isUpdate: false)
            guard !wasEnabled, settings.isEnabled, !cache.isRestoring else { return }
            if entry.machine.isStale(settings.staleTime, at: cache.now) {
                _ = entry.fetch(in: &cache, by: self, restarting: false)
            }
        }
    }

    /// Fetches on behalf of an observer.
    func start<Value>(_ query: Query<Value>, _ options: FetchOptions) -> FetchTicket<Value> {
        if let ticket = withEntry(of: query, { $0.fetch($1, options, by: self) }) { return ticket }
        let ticket = FetchTicket<Value>()
        ticket.resolve(.failure(QueryError.typeMismatch(query.key)))
        return ticket
    }
}

extension Cache {
    fileprivate mutating func mount<Value>(
        _ observer: any EntryObserver<Value>,
        on entry: Entry<Value>,
        _ settings: ObserverSettings,
        _ arrival: Arrival,
        by client: QueryClient
    ) -> Mounted<Value> {
        let registration = Registration(identifier: nextIdentifier(), settings: settings, intervalStart: now)
        entry.registrations.append(registration)
        entry.observers.append(observer)
        recency.remove(entry)
        inspection.record(.observerAdded(entry.key))
        let updates = (entry.machine.updateCount, entry.machine.trouble?.errorCount ?? 0)
        if isRestoring {
            restore(by: client)
        } else if shouldFetch(entry, settings, arrival) {
            _ = entry.fetch(in: &self, by: client, restarting: false)
        }
        schedule(entry)
        return Mounted(registration: registration.identifier, state: entry.state(at: now), updates: updates)
    }

    /// Whether an observer's coming is a reason to fetch.
    func shouldFetch(_ entry: AnyEntry, _ settings: ObserverSettings, _ arrival: Arrival) -> Bool {
        guard settings.isEnabled else { return false }
        guard entry.hasData else { return entry.status != .error || settings.options.retryOnMount ?? true }
        let isStale = entry.isStale(settings.staleTime, at: now)
        return switch arrival {
        case .start: settings.wantsFetch(on: settings.options.refetchOnMount, isStale: isStale)
        case .move: isStale
        case .stay: false
        case .wake: entry.isInvalidated
        }
    }

    fileprivate mutating func lastObserverLeft(_ entry: AnyEntry) {
        entry.idleSince = now
        recency.touch(entry)
        if entry.cancelsWhenUnobserved {
            entry.cancel(in: &self, revertsTo: .data)
        } else {
            entry.stopRetrying()
        }
        changed(entry, isUpdate: false)
    }
}
