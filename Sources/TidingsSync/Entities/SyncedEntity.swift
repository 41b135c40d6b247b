public import TidingsWire

/// What the client knows of one kind of entity: what generated code says once, and everything else goes by.
///
/// ```swift
/// static let entity = SyncedEntity<Order>(
///     "order",
///     keys: EntityKeys("orders"),
///     channel: "order",
///     identifier: { $0.id.uuidString.lowercased() },
///     version: { Int64($0.version) },
///     lists: [.page(\OrderPage.items)],
///     place: { order, list in list.admits("status", order.status.rawValue) ? .last : nil }
/// )
/// ```
public struct SyncedEntity<Entity: Sendable>: Sendable {
    /// What it is called, such as `order`.
    public let name: String
    /// Where its data is cached.
    public let keys: EntityKeys
    /// Where its changes are told.
    public let channel: ChannelName
    /// Which one it is, as it is written on the wire.
    public let identifier: @Sendable (Entity) -> String
    /// Which version it is; nil if it has none.
    public let version: @Sendable (Entity) -> Int64?
    let isSingle: Bool
    let lists: [EntityListForm<Entity>]
    let place: @Sendable (Entity, ListParameters) -> ListPlace?

    /// Describes an entity.
    ///
    /// - Parameters:
    ///   - name: What it is called.
    ///   - keys: Where its data is cached.
    ///   - channel: Where its changes are told.
    ///   - identifier: Which one it is, as it is written on the wire.
    ///   - version: Which version it is; nil if it has none.
    ///   - isSingle: Whether there is one of it.
    ///   - lists: The types that lists of it have.
    ///   - place: Where it belongs in a list; nil is nowhere. What it says is shown until the server has answered.
    public init(
        _ name: String,
        keys: EntityKeys,
        channel: ChannelName,
        identifier: @escaping @Sendable (Entity) -> String,
        version: @escaping @Sendable (Entity) -> Int64? = { _ in nil },
        isSingle: Bool = false,
        lists: [EntityListForm<Entity>] = [.array],
        place: @escaping @Sendable (Entity, ListParameters) -> ListPlace? = { _, _ in .last }
    ) {
        self.name = name
        self.keys = keys
        self.channel = channel
        self.identifier = identifier
        self.version = version
        self.isSingle = isSingle
        self.lists = lists
        self.place = place
    }

    /// How its events make its data stale.
    var rule: InvalidationRule { InvalidationRule(prefix: keys.all, shape: isSingle ? .single : .detail) }

    /// Where one of them is cached.
    func key(_ identifier: String) -> QueryKey { isSingle ? keys.details : keys.detail(identifier) }

    /// One of them, for what only knows it by name.
    func detail(_ identifier: String) -> Query<Entity> {
        var query = Query<Entity>(key: key(identifier))
        query.version = version
        return query
    }

    /// The newest of one that a list shows.
    func listed(_ identifier: String, in queries: QueryClient) -> Entity? {
        lists.flatMap { $0.entities(queries, .under(keys.lists)) }
            .compactMap { page in page.first { self.identifier($0) == identifier } }
            .max { (version($0) ?? .min) < (version($1) ?? .min) }
    }
}

/// Where an entity belongs in a list.
public enum ListPlace: Hashable, Sendable {
    /// At the begin.
    case first
    /// At the end.
    case last
}

/// What a list was asked for with.
public struct ListParameters: Hashable, Sendable {
    private let members: [String: QueryKey.Segment]

    /// Reads them from the key of a list; nil if it is none.
    init?(_ key: QueryKey, of keys: EntityKeys) {
        guard key.starts(with: keys.lists), case .object(let members)? = key.segments.dropFirst(2).first else {
            return nil
        }
        self.members = members
    }

    /// The value of a parameter; nil if it was not given.
    public subscript(name: String) -> QueryKey.Segment? { members[name] }

    /// Whether a list of these parameters has entities with a value: it was asked for with that, or with any.
    ///
    /// - Parameters:
    ///   - name: The parameter.
    ///   - value: The value, as it is written on the wire.
    public func admits(_ name: String, _ value: String?) -> Bool {
        switch members[name] {
        case nil: true
        case .array(let choices): value.map { choices.contains(.string($0)) } ?? false
        case .string(let wanted): wanted == value
        case .integer(let wanted): String(wanted) == value
        case .boolean(let wanted): String(wanted) == value
        case .null, .object: false
        }
    }
}
