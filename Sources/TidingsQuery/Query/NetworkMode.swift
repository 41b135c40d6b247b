/// What a fetch or a mutation does while the device is offline.
public enum NetworkMode: Hashable, Sendable {
    /// Waits: nothing is sent while offline. The default.
    case online
    /// Does not care: for work that needs no network.
    case always
    /// Makes the first attempt in any case, since a cache nearby may answer, and waits with the retries.
    case offlineFirst

    func canStart(isOnline: Bool) -> Bool { self != .online || isOnline }

    func canContinue(isOnline: Bool) -> Bool { self == .always || isOnline }
}

/// Whether an occasion makes an observed query fetch.
public enum RefetchTrigger: Hashable, Sendable {
    /// Never.
    case never
    /// If its data is stale. The default.
    case ifStale
    /// Also if its data is fresh, unless it is static.
    case always
}

/// Whether an observed query is fetched again and again.
public enum RefetchInterval: Hashable, Sendable {
    /// It is not. The default.
    case never
    /// So long after the last change of its state. It pauses while the application is not focused, unless
    /// ``QueryOptions/refetchesInBackground`` says otherwise.
    case every(Duration)

    var duration: Duration? {
        guard case .every(let duration) = self, duration > .zero else { return nil }
        return duration
    }
}
