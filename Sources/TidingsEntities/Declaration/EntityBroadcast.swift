public import TidingsBroadcast

/// Who is told what when an entity changes.
///
/// ```swift
/// static let broadcast = EntityBroadcast<Order>(channels: [.all, .one, .each(\.$table)])
/// ```
public struct EntityBroadcast<Subject: Entity>: Sendable {
    /// Where changes are told.
    public var channels: [EntityChannel<Subject>]
    /// What an event carries.
    public var payload: EntityPayload
    /// What the events of the channels mean to a client that falls behind. Tell the hub with
    /// ``Entities/channelDelivery(otherwise:)``.
    public var delivery: ChannelDelivery
    /// The events that are told; nil: all.
    public var events: [EventName]?
    /// What events are called in the topic dialect, where that is not what the protocol says.
    public var topicNames: [EventName: String]

    /// Declares who is told what.
    ///
    /// - Parameters:
    ///   - channels: Where changes are told. When a channel's field changes, the old one and the new one are told.
    ///   - payload: What an event carries: a hint by default, which makes clients refetch what they show.
    ///   - delivery: What the events mean to a client that falls behind: by default a newer one of the same entity takes the
    ///     place of an older one.
    ///   - events: The events that are told; nil: all.
    ///   - topicNames: What events are called in the topic dialect, where that is not what the protocol says.
    public init(
        channels: [EntityChannel<Subject>] = [.all, .one],
        payload: EntityPayload = .hint,
        delivery: ChannelDelivery = .signal,
        events: [EventName]? = nil,
        topicNames: [EventName: String] = [:]
    ) {
        self.channels = channels
        self.payload = payload
        self.delivery = delivery
        self.events = events
        self.topicNames = topicNames
    }
}

/// What an entity's event carries.
public enum EntityPayload: Sendable {
    /// The identifier, the version, and whose change it was. Clients refetch.
    case hint
    /// The same, and the entity as it is after the change, without its excluded fields: for clients that write it into
    /// their cache. Whoever may hear the channel sees all of it. A change that takes the entity from one channel to another
    /// is told with a hint, and so is a deletion.
    case entity
}

/// A channel, or one for each value of a field, on which an entity's changes are told.
public struct EntityChannel<Subject: Entity>: Sendable {
    enum Source: Sendable {
        case all
        case one
        case each(prefix: String?, @Sendable (Subject) -> PropertyDefinition?)
    }

    let source: Source

    /// The entity's name, such as `order`: everything of this kind.
    public static var all: Self { Self(source: .all) }
    /// The entity's name and its identifier, such as `order:8f14…`: this one.
    public static var one: Self { Self(source: .one) }

    /// A field's name and its value, such as `table:7`: all entities with this value. One without a value is not told
    /// there. White space and control characters of the value are percent-encoded.
    ///
    /// - Parameters:
    ///   - field: The field.
    ///   - prefix: What stands before the value; nil: the field's name.
    public static func each<Value: FieldValue>(
        _ field: any KeyPath<Subject, Field<Value>> & Sendable,
        as prefix: String? = nil
    ) -> Self {
        Self(source: .each(prefix: prefix) { $0[keyPath: field].definition })
    }
}
