/// What an entry has to know of an observer.
struct ObserverSettings: Sendable {
    var isEnabled: Bool
    var options: QueryOptions

    var staleTime: StaleTime { options.staleTime ?? .zero }
    /// Whether it has the query fetched when there is reason to.
    var isLive: Bool { isEnabled && options.isLive ?? true }
    var interval: Duration? { isLive ? options.refetchInterval?.duration : nil }
    var refetchesInBackground: Bool { options.refetchesInBackground ?? false }

    /// What was said about an occasion. What needs no network has missed nothing without it.
    private func trigger(on occasion: Return) -> RefetchTrigger? {
        switch occasion {
        case .focus: options.refetchOnFocus
        case .reconnect: options.refetchOnReconnect ?? (options.networkMode == .always ? .never : nil)
        }
    }

    /// Whether coming back is a reason to fetch.
    func wantsFetch(on occasion: Return, isStale: Bool) -> Bool {
        isLive && wantsFetch(on: trigger(on: occasion), isStale: isStale)
    }

    /// Whether an occasion is a reason to fetch.
    func wantsFetch(on trigger: RefetchTrigger?, isStale: Bool) -> Bool {
        guard isEnabled, staleTime != .static else { return false }
        return switch trigger ?? .ifStale {
        case .never: false
        case .ifStale: isStale
        case .always: true
        }
    }
}

/// An observer's place at an entry.
struct Registration: Sendable {
    let identifier: UInt64
    var settings: ObserverSettings
    /// From when its interval counts, if nothing changed since.
    var intervalStart: Timestamp
}

/// Somebody who is told when an entry has changed.
protocol EntryObserver<Value>: AnyObject, Sendable {
    associatedtype Value: Sendable

    /// What an entry looks like now. Called outside of any lock, by whoever made the change, possibly by two at once.
    func receive(_ state: EntryState<Value>)
}

/// An entry's state at a moment. Of two states, the later one counts, in whichever order they come.
struct EntryState<Value: Sendable>: Sendable {
    let facts: EntryFacts
    let machine: QueryMachine<Value>
}
