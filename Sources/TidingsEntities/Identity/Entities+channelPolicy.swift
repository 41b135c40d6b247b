import FoundationEssentials
public import TidingsBroadcast
import TidingsWire

extension Entities {
    /// A policy by which clients hear of entities on channels exactly if they may see them on routes.
    ///
    /// ```swift
    /// configuration.policy = entities.channelPolicy(otherwise: ChannelPolicy(publicChannels: ["news"]))
    /// ```
    ///
    /// - `order` may be heard by whoever may list orders and whose scope is all of them.
    /// - `order:8f14…` may be heard by whoever may read this order, and has it in their scope now.
    /// - `table:7` may be heard by whoever may list orders and has every order of this table in their scope.
    ///
    /// A channel on which several kinds of entities are told may be heard by whoever may hear of all of them. A token that
    /// names channels has to name this one too. Who may hear is asked when a channel is subscribed: somebody who hears of
    /// an order goes on to hear of it when it moves out of their scope. If the database cannot be asked, nobody may.
    ///
    /// - Parameter policy: Decides about all other channels, and about publishing.
    public func channelPolicy(otherwise policy: ChannelPolicy = ChannelPolicy()) -> ChannelPolicy {
        policy.deciding(about: tellsOn) { [self] identity, channel in
            if let channels = identity?.channels, !channels.contains(where: { $0.matches(channel) }) { return false }
            return (try? await mayHear(identity, channel)) ?? false
        }
    }

    private func mayHear(_ identity: Identity?, _ channel: ChannelName) async throws -> Bool {
        let name = channel.rawValue
        let parts = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        for schema in catalog.schemas {
            let scope = schema.hooks.scope(schema, identity)
            for told in schema.telling.channels {
                let isAllowed: Bool
                switch told {
                case .all where name == schema.name:
                    isAllowed = try scope.isAll && schema.hooks.authorize(schema, identity, .list, nil)
                case .one where parts.count == 2 && parts[0] == schema.name:
                    isAllowed = try await mayRead(identity, parts[1], of: schema, within: scope)
                case .each(let prefix, let place) where parts.count == 2 && parts[0] == prefix:
                    isAllowed =
                        try scope.containsAll(where: place) {
                            $0.channelText?.utf8.elementsEqual(parts[1].utf8) ?? false
                        }
                        && schema.hooks.authorize(schema, identity, .list, nil)
                default: continue
                }
                guard isAllowed else { return false }
            }
        }
        return true
    }

    private func mayRead(
        _ identity: Identity?,
        _ id: Substring,
        of schema: EntitySchema,
        within scope: RowScope
    ) async throws -> Bool {
        // Channels have small letters: others are never told anything.
        guard let uuid = FieldReader.uuid(id), uuid.uuidString.lowercased() == id else { return false }
        return try await store.read { connection in
            guard let record = try EntityRows(schema: schema, connection: connection).record(of: uuid),
                scope.contains(record)
            else { return false }
            return try schema.hooks.authorize(schema, identity, .read, record)
        }
    }
}

extension RowScope {
    /// Whether every row is one of them that has a certain value in a column.
    ///
    /// - Parameter isMeant: Whether a value is that value.
    fileprivate func containsAll(where place: Int, is isMeant: (SQLValue) -> Bool) -> Bool {
        switch self {
        case .all: true
        case .none: false
        case .values(let column, let values): column == place && values.contains(where: isMeant)
        case .every(let scopes): scopes.allSatisfy { $0.containsAll(where: place, is: isMeant) }
        }
    }
}
