// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

import Foundation
public import TidingsSync

/// The settings: their query and their changes.
public struct RestaurantSettings: Sendable {
    /// How the settings are cached, and where their changes are told.
    public static let entity = SyncedEntity<Settings>(
        "settings",
        keys: EntityKeys("settings"),
        channel: "settings",
        identifier: { $0.id.wire },
        version: { Int64($0.version) },
        isSingle: true,
        lists: []
    )

    private let client: SyncClient

    init(_ client: SyncClient) {
        self.client = client
    }
}

extension SyncClient {
    /// The settings.
    public var settings: RestaurantSettings { RestaurantSettings(self) }
}

extension RestaurantSettings {
    /// Get settings: `GET /settings`.
    ///
    /// - Parameter live: Whether they are fetched again when somebody changes them.
    public func detail(live: Bool = true) -> Query<Settings> {
        client.detail("", of: Self.entity, APIRequest(.get, "/settings")).live(live)
    }

    /// A change of the settings, and the version that it is based on; nil is the one that is known when it is sent.
    public struct Update: Codable, Hashable, Sendable {
        public var changes: SettingsUpdate
        public var version: Int?

        public init(_ changes: SettingsUpdate, version: Int? = nil) {
            self.changes = changes
            self.version = version
        }
    }

    /// Update settings: `PATCH /settings`. It fails with `EntityConflict<Settings>` if somebody else was faster.
    public var update: Mutation<Update, Settings> {
        client.mutation(
            "settings.update",
            of: Self.entity,
            about: { _ in "" },
            basis: { $0.version.map { Int64($0) } },
            isLocking: true,
            show: { input, settings in settings.update("") { input.changes.apply(to: &$0) } },
            request: { input, version in
                try APIRequest(.patch, "/settings", body: VersionedBody(input.changes, version: version))
            },
            as: Settings.self
        )
    }

    /// Has changes that were stored before a restart sent: call it before the client is run, if it has a persister.
    public func registerMutations() {
        client.queries.register(update)
    }
}
