// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import Foundation
public import TidingsSync

/// The menu items: their queries and their changes.
public struct MenuItems: Sendable {
    /// How menu items are cached, and where their changes are told.
    public static let entity = SyncedEntity<MenuItem>(
        "menu_item",
        keys: EntityKeys("menu_items"),
        channel: "menu_item",
        identifier: { $0.id.wire },
        version: { Int64($0.version) },
        lists: [.page(\MenuItemList.items)],
        place: { item, list in
            list.admits("course", item.course.rawValue) ? .last : nil
        }
    )

    private let client: SyncClient

    init(_ client: SyncClient) {
        self.client = client
    }
}

extension SyncClient {
    /// The menu items.
    public var menuItems: MenuItems { MenuItems(self) }
}

// MARK: - Queries

extension MenuItems {
    /// What a list is asked for with.
    public struct Filter: Hashable, Sendable {
        /// Only those that have one of these values.
        public var course: [MenuItemCourse]
        /// By which field; with a minus before it, descending.
        public var sort: String?
        /// How many there are on a page.
        public var limit: Int?

        public init(course: [MenuItemCourse] = [], sort: String? = nil, limit: Int? = nil) {
            self.course = course
            self.sort = sort
            self.limit = limit
        }

        var query: [(name: String, value: String?)] {
            course.map { ("course", $0.rawValue) } + [("sort", sort), ("limit", limit.map { String($0) })]
        }

        var key: [String: QueryKey.Segment] {
            var key: [String: QueryKey.Segment] = [:]
            if !course.isEmpty { key["course"] = .array(course.map(\.rawValue).sorted().map { .string($0) }) }
            key["sort"] = sort.map { .string($0) }
            key["limit"] = limit.map { .integer($0) }
            return key
        }
    }

    /// List menu items: `GET /menu_items`.
    ///
    /// - Parameters:
    ///   - filter: Which ones.
    ///   - live: Whether it is fetched again when somebody changes one.
    public func list(_ filter: Filter = Filter(), live: Bool = true) -> Query<MenuItemList> {
        let entity = Self.entity
        let request = APIRequest(.get, "/menu_items", query: filter.query)
        return client.query(entity.keys.list(filter.key), of: entity, request, as: MenuItemList.self).live(live)
    }

    /// Get menu item: `GET /menu_items/{id}`.
    ///
    /// - Parameters:
    ///   - id: Which one.
    ///   - live: Whether it is fetched again when somebody changes it.
    public func detail(_ id: UUID, live: Bool = true) -> Query<MenuItem> {
        let id = id.wire
        return client.detail(id, of: Self.entity, APIRequest(.get, "/menu_items/\(id)")).live(live)
    }
}

// MARK: - Changes

extension MenuItems {
    /// A change of a menu item, and the version that it is based on; nil is the one that is known when it is sent.
    public struct Update: Codable, Hashable, Sendable {
        public var id: UUID
        public var changes: MenuItemUpdate
        public var version: Int?

        public init(_ id: UUID, _ changes: MenuItemUpdate, version: Int? = nil) {
            self.id = id
            self.changes = changes
            self.version = version
        }
    }

    /// Update menu item: `PATCH /menu_items/{id}`. It fails with `EntityConflict<MenuItem>` if somebody else was faster.
    public var update: Mutation<Update, MenuItem> {
        client.mutation(
            "menu_items.update",
            of: Self.entity,
            about: { $0.id.wire },
            basis: { $0.version.map { Int64($0) } },
            isLocking: true,
            show: { input, items in
                items.update(input.id.wire) { input.changes.apply(to: &$0) }
            },
            request: { input, version in
                let body = VersionedBody(input.changes, version: version)
                return try APIRequest(.patch, "/menu_items/\(input.id.wire)", body: body)
            },
            as: MenuItem.self
        )
    }
}

// MARK: - What is stored

extension MenuItems {
    /// Has changes that were stored before a restart sent: call it before the client is run, if it has a persister.
    public func registerMutations() {
        client.queries.register(update)
    }
}
