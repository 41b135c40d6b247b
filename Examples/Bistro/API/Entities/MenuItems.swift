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
            isAdmitted(item, to: list) ? .last : nil
        }
    )

    private let client: SyncClient

    init(_ client: SyncClient) {
        self.client = client
    }

    private static func isAdmitted(_ item: MenuItem, to list: ListParameters) -> Bool {
        list.admits("id", item.id.wire) && list.admits("name", item.name) && list.admits("course", item.course.rawValue)
            && list.admits("price_in_cents", String(item.priceInCents))
            && list.admits("is_available", String(item.isAvailable)) && list.admits("version", String(item.version))
            && list.admits("updated_at", item.updatedAt)
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
        public var id: [UUID]
        /// Only those that have one of these values.
        public var name: [String]
        /// Only those that have one of these values.
        public var course: [MenuItemCourse]
        /// Only those that have one of these values.
        public var priceInCents: [Int]
        /// Only those that have one of these values.
        public var isAvailable: [Bool]
        /// Only those that have one of these values.
        public var version: [Int]
        /// Only those that have one of these values.
        public var updatedAt: [Date]
        /// By which field; with a minus before it, descending.
        public var sort: String?
        /// How many there are on a page.
        public var limit: Int?

        public init(
            id: [UUID] = [],
            name: [String] = [],
            course: [MenuItemCourse] = [],
            priceInCents: [Int] = [],
            isAvailable: [Bool] = [],
            version: [Int] = [],
            updatedAt: [Date] = [],
            sort: String? = nil,
            limit: Int? = nil
        ) {
            self.id = id
            self.name = name
            self.course = course
            self.priceInCents = priceInCents
            self.isAvailable = isAvailable
            self.version = version
            self.updatedAt = updatedAt
            self.sort = sort
            self.limit = limit
        }

        var query: ListQuery {
            ListQuery(
                fields: [
                    ("id", id.map(\.wire)),
                    ("name", name),
                    ("course", course.map(\.rawValue)),
                    ("price_in_cents", priceInCents.map { String($0) }),
                    ("is_available", isAvailable.map { String($0) }),
                    ("version", version.map { String($0) }),
                    ("updated_at", updatedAt.map(\.wire)),
                ],
                sort: sort,
                limit: limit
            )
        }
    }

    /// List menu items: `GET /menu_items`.
    ///
    /// - Parameters:
    ///   - filter: Which ones.
    ///   - live: Whether it is fetched again when somebody changes one.
    public func list(_ filter: Filter = Filter(), live: Bool = true) -> Query<MenuItemList> {
        let entity = Self.entity
        let request = APIRequest(.get, "/menu_items", query: filter.query.parameters)
        return client.query(entity.keys.list(filter.query.key), of: entity, request, as: MenuItemList.self).live(live)
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
