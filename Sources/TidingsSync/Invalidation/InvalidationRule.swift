import TidingsWire

/// Which entries go stale by what is heard on a channel. Those who ask for the same share one.
struct InvalidationRule: Hashable, Sendable {
    /// The entries that it is about.
    let prefix: QueryKey
    /// How their keys tell which entity they are about.
    let shape: EntityKeyShape
    /// The events that count; nil is every one. That a channel is stale always counts.
    var events: Set<EventName>?
    /// How long nothing has to happen for what is stale to be fetched; nil is not to wait for that.
    var debounce: Duration?

    /// Whether an event makes an entry stale, as far as the keys tell.
    func concerns(_ key: QueryKey, _ heard: HeardEvent) -> Bool {
        if heard.event.isStale { return true }
        if let events, !events.contains(heard.event.name) { return false }
        guard let entity = heard.entityID, let own = shape.entity(of: key, under: prefix) else { return true }
        return own == entity
    }

    /// Whether an entry has what an event tells of already.
    ///
    /// - Parameter position: Up to where the server's log is known to be in the entry's data.
    func isKnown(_ heard: HeardEvent, to entry: QueryInfo, at position: EventPosition?) -> Bool {
        // Of what could not be had, nothing says when it was asked for.
        guard entry.hasData else { return heard.isSettled && entry.status == .error && entry.fetchStatus == .idle }
        if let position, let event = heard.event.position, position.covers(event) { return true }
        guard let version = heard.version, let base = entry.baseVersion, base >= version, let entity = heard.entityID
        else { return false }
        // What is being fetched may be older, and would take the place of what is there.
        guard entry.fetchStatus == .idle || entry.fetchEpoch.map({ $0 > heard.epoch }) ?? false else { return false }
        return shape.isDetail(entry.key, of: entity, under: prefix)
    }
}

extension EventPosition {
    /// Whether it is known to be at or after another one.
    func covers(_ other: EventPosition) -> Bool {
        epoch == other.epoch && offset >= other.offset
    }
}

extension QueryMetadata.Name {
    /// Up to where the server's log is in the data: `Tidings-Position`.
    static let position: Self = "tidings.position"
}

extension QueryInfo {
    /// Up to where the server's log is in the data, as the answer said.
    var position: EventPosition? { metadata[.position].flatMap { EventPosition($0) } }
}
