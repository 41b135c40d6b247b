// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import Foundation
public import TidingsSync

/// The orders: their queries and their changes.
public struct Orders: Sendable {
    /// How orders are cached, and where their changes are told.
    public static let entity = SyncedEntity<Order>(
        "order",
        keys: EntityKeys("orders"),
        channel: "order",
        identifier: { $0.id.wire },
        version: { Int64($0.version) },
        lists: [.page(\OrderList.items), .pages(\OrderList.items, cursor: String.self)],
        place: { order, list in
            guard isAdmitted(order, to: list) else { return nil }
            return list["sort"] == "created_at" ? .last : .first
        }
    )

    private let client: SyncClient

    init(_ client: SyncClient) {
        self.client = client
    }

    private static func isAdmitted(_ order: Order, to list: ListParameters) -> Bool {
        list.admits("id", order.id.wire) && list.admits("reference", order.reference)
            && list.admits("table", order.table) && list.admits("note", order.note)
            && list.admits("status", order.status.rawValue) && list.admits("version", String(order.version))
            && list.admits("created_at", order.createdAt) && list.admits("updated_at", order.updatedAt)
    }
}

extension SyncClient {
    /// The orders.
    public var orders: Orders { Orders(self) }
}

// MARK: - Queries

extension Orders {
    /// What a list is asked for with.
    public struct Filter: Hashable, Sendable {
        /// Only those that have one of these values.
        public var id: [UUID]
        /// Only those that have one of these values.
        public var reference: [String]
        /// Only those that have one of these values.
        public var table: [String]
        /// Only those that have one of these values.
        public var note: [String]
        /// Only those that have one of these values.
        public var status: [OrderStatus]
        /// Only those that have one of these values.
        public var version: [Int]
        /// Only those that have one of these values.
        public var createdAt: [Date]
        /// Only those that have one of these values.
        public var updatedAt: [Date]
        /// By which field; with a minus before it, descending.
        public var sort: String?
        /// How many there are on a page.
        public var limit: Int?

        public init(
            id: [UUID] = [],
            reference: [String] = [],
            table: [String] = [],
            note: [String] = [],
            status: [OrderStatus] = [],
            version: [Int] = [],
            createdAt: [Date] = [],
            updatedAt: [Date] = [],
            sort: String? = nil,
            limit: Int? = nil
        ) {
            self.id = id
            self.reference = reference
            self.table = table
            self.note = note
            self.status = status
            self.version = version
            self.createdAt = createdAt
            self.updatedAt = updatedAt
            self.sort = sort
            self.limit = limit
        }

        var query: ListQuery {
            ListQuery(
                fields: [
                    ("id", id.map(\.wire)),
                    ("reference", reference),
                    ("table", table),
                    ("note", note),
                    ("status", status.map(\.rawValue)),
                    ("version", version.map { String($0) }),
                    ("created_at", createdAt.map(\.wire)),
                    ("updated_at", updatedAt.map(\.wire)),
                ],
                sort: sort,
                limit: limit
            )
        }
    }

    /// List orders: `GET /orders`.
    ///
    /// - Parameters:
    ///   - filter: Which ones.
    ///   - live: Whether it is fetched again when somebody changes one.
    public func list(_ filter: Filter = Filter(), live: Bool = true) -> Query<OrderList> {
        let entity = Self.entity
        let request = APIRequest(.get, "/orders", query: filter.query.parameters)
        return client.query(entity.keys.list(filter.query.key), of: entity, request, as: OrderList.self).live(live)
    }

    /// List orders, page by page: `GET /orders`.
    ///
    /// - Parameters:
    ///   - filter: Which ones.
    ///   - live: Whether it is fetched again when somebody changes one.
    public func pages(_ filter: Filter = Filter(), live: Bool = true) -> InfiniteQuery<OrderList, String> {
        let entity = Self.entity
        return client.pages(entity.keys.pages(filter.query.key), of: entity, as: OrderList.self) { cursor in
            APIRequest(.get, "/orders", query: filter.query.parameters + [("cursor", cursor)])
        } next: {
            $0.nextCursor
        }
        .live(live)
    }

    /// Get order: `GET /orders/{id}`.
    ///
    /// - Parameters:
    ///   - id: Which one.
    ///   - live: Whether it is fetched again when somebody changes it.
    public func detail(_ id: UUID, live: Bool = true) -> Query<Order> {
        let id = id.wire
        return client.detail(id, of: Self.entity, APIRequest(.get, "/orders/\(id)")).live(live)
    }
}

// MARK: - Changes

extension Orders {
    /// Create order: `POST /orders`.
    public var create: Mutation<OrderCreate, Order> {
        client.mutation(
            "orders.create",
            of: Self.entity,
            about: { $0.id.wire },
            show: { input, orders in orders.insert(input.placeholder) },
            request: { input, _ in try APIRequest(.post, "/orders", body: input) },
            as: Order.self
        )
    }

    /// A change of an order, and the version that it is based on; nil is the one that is known when it is sent.
    public struct Update: Codable, Hashable, Sendable {
        public var id: UUID
        public var changes: OrderUpdate
        public var version: Int?

        public init(_ id: UUID, _ changes: OrderUpdate, version: Int? = nil) {
            self.id = id
            self.changes = changes
            self.version = version
        }
    }

    /// Update order: `PATCH /orders/{id}`. It fails with `EntityConflict<Order>` if somebody else was faster.
    public var update: Mutation<Update, Order> {
        client.mutation(
            "orders.update",
            of: Self.entity,
            about: { $0.id.wire },
            basis: { $0.version.map { Int64($0) } },
            isLocking: true,
            show: { input, orders in
                orders.update(input.id.wire) { input.changes.apply(to: &$0) }
            },
            request: { input, version in
                let body = VersionedBody(input.changes, version: version)
                return try APIRequest(.patch, "/orders/\(input.id.wire)", body: body)
            },
            as: Order.self
        )
    }

    /// Delete order: `DELETE /orders/{id}`.
    public var delete: Mutation<UUID, NoContent> {
        client.mutation(
            "orders.delete",
            of: Self.entity,
            about: { $0.wire },
            isLocking: true,
            isDeletion: true,
            show: { id, orders in orders.remove(id.wire) },
            request: { id, version in
                APIRequest(.delete, "/orders/\(id.wire)").onlyIf(version: version)
            },
            as: NoContent.self
        )
    }

    /// A state for an order to go to.
    public struct Transition: Codable, Hashable, Sendable {
        public var id: UUID
        public var to: OrderStatus

        public init(_ id: UUID, to: OrderStatus) {
            self.id = id
            self.to = to
        }
    }

    /// Move order to another state: `POST /orders/{id}/transition`.
    public var transition: Mutation<Transition, Order> {
        client.mutation(
            "orders.transition",
            of: Self.entity,
            about: { $0.id.wire },
            show: { input, orders in orders.update(input.id.wire) { $0.status = input.to } },
            request: { input, _ in
                let path: APIPath = "/orders/\(input.id.wire)/transition"
                return try APIRequest(.post, path, body: ["to": input.to])
            },
            as: Order.self
        )
    }
}

// MARK: - Items

extension Orders {
    /// An item for an order.
    public struct AddItem: Codable, Hashable, Sendable {
        public var id: UUID
        public var item: OrderItemCreate

        public init(to id: UUID, _ item: OrderItemCreate) {
            self.id = id
            self.item = item
        }
    }

    /// Add order item: `POST /orders/{id}/items`.
    public var addItem: Mutation<AddItem, OrderItem> {
        client.mutation(
            "orders.items.create",
            of: Self.entity,
            about: { $0.id.wire },
            show: { input, orders in
                orders.update(input.id.wire) { order in
                    guard !order.items.contains(where: { $0.id == input.item.id }) else { return }
                    order.items.append(input.item.placeholder)
                }
            },
            request: { input, _ in
                try APIRequest(.post, "/orders/\(input.id.wire)/items", body: input.item)
            },
            as: OrderItem.self
        )
    }

    /// A change of an order's item.
    public struct UpdateItem: Codable, Hashable, Sendable {
        public var id: UUID
        public var itemID: UUID
        public var changes: OrderItemUpdate

        public init(_ itemID: UUID, of id: UUID, _ changes: OrderItemUpdate) {
            self.id = id
            self.itemID = itemID
            self.changes = changes
        }
    }

    /// Update order item: `PATCH /orders/{id}/items/{item_id}`.
    public var updateItem: Mutation<UpdateItem, OrderItem> {
        client.mutation(
            "orders.items.update",
            of: Self.entity,
            about: { $0.id.wire },
            show: { input, orders in
                orders.update(input.id.wire) { order in
                    guard let index = order.items.firstIndex(where: { $0.id == input.itemID }) else { return }
                    input.changes.apply(to: &order.items[index])
                }
            },
            request: { input, _ in
                let (id, itemID) = (input.id.wire, input.itemID.wire)
                return try APIRequest(.patch, "/orders/\(id)/items/\(itemID)", body: input.changes)
            },
            as: OrderItem.self
        )
    }

    /// An item of an order.
    public struct RemoveItem: Codable, Hashable, Sendable {
        public var id: UUID
        public var itemID: UUID

        public init(_ itemID: UUID, of id: UUID) {
            self.id = id
            self.itemID = itemID
        }
    }

    /// Remove order item: `DELETE /orders/{id}/items/{item_id}`.
    public var removeItem: Mutation<RemoveItem, NoContent> {
        client.mutation(
            "orders.items.delete",
            of: Self.entity,
            about: { $0.id.wire },
            show: { input, orders in
                orders.update(input.id.wire) { order in
                    order.items.removeAll { $0.id == input.itemID }
                }
            },
            request: { input, _ in
                let (id, itemID) = (input.id.wire, input.itemID.wire)
                return APIRequest(.delete, "/orders/\(id)/items/\(itemID)")
            },
            as: NoContent.self
        )
    }
}

// MARK: - What is stored

extension Orders {
    /// Has changes that were stored before a restart sent: call it before the client is run, if it has a persister.
    public func registerMutations() {
        client.queries.register(create)
        client.queries.register(update)
        client.queries.register(delete)
        client.queries.register(transition)
        client.queries.register(addItem)
        client.queries.register(updateItem)
        client.queries.register(removeItem)
    }
}
