import HTTPTypes

extension SyncClient {
    /// A query of an entity: while it is observed, what others change is heard.
    ///
    /// - Parameters:
    ///   - key: Where its data is cached: one of the entity's ``EntityKeys``.
    ///   - entity: What it is about.
    ///   - request: What to ask the server.
    ///   - type: What the server answers.
    public func query<Entity, Value: Codable & Sendable>(
        _ key: QueryKey,
        of entity: SyncedEntity<Entity>,
        _ request: APIRequest,
        as type: Value.Type
    ) -> Query<Value> {
        // The cache keeps its queries, so they do not keep the client.
        let (api, inbox) = (api, inbox)
        return Query(key: key) { context in try await api.fetch(request, as: type, context) }
            .holding { inbox.hold(entity.channel, entity.rule, isLazy: true) }
    }

    /// The query of one entity.
    ///
    /// - Parameters:
    ///   - identifier: Which one, as it is written on the wire.
    ///   - entity: What it is.
    ///   - request: What to ask the server.
    public func detail<Entity: Codable & Sendable>(
        _ identifier: String,
        of entity: SyncedEntity<Entity>,
        _ request: APIRequest
    ) -> Query<Entity> {
        var query = query(entity.key(identifier), of: entity, request, as: Entity.self)
        query.version = entity.version
        return query
    }

    /// A query of a list of entities that comes in pages.
    ///
    /// - Parameters:
    ///   - key: Where its data is cached.
    ///   - entity: What it is a list of.
    ///   - type: What the server answers.
    ///   - request: What to ask the server for a page, by its cursor.
    ///   - next: The cursor of the page after one; nil if there is none.
    public func pages<Entity, Page: Codable & Sendable>(
        _ key: QueryKey,
        of entity: SyncedEntity<Entity>,
        as type: Page.Type,
        request: @escaping @Sendable (String?) -> APIRequest,
        next: @escaping @Sendable (Page) -> String?
    ) -> InfiniteQuery<Page, String> {
        let (api, inbox) = (api, inbox)
        var list = InfiniteQuery<Page, String>(key: key) { cursor, context in
            try await api.fetch(request(cursor), as: type, context)
        } next: { page, _ in
            next(page)
        }
        list.query.hold = { inbox.hold(entity.channel, entity.rule, isLazy: true) }
        return list
    }
}

extension APIClient {
    /// Asks the server for data, and keeps how new it is with the entry that it is fetched for: what the fetch function of a
    /// query that is bound to a channel needs.
    ///
    /// - Parameters:
    ///   - request: What to ask for.
    ///   - type: What the server answers.
    ///   - context: What the fetch was told.
    /// - Throws: As ``APIClient/send(_:as:)``.
    public func fetch<Value: Decodable & Sendable>(
        _ request: APIRequest,
        as type: Value.Type,
        _ context: FetchContext
    ) async throws -> Value {
        let answer = try await send(request, as: type)
        // Of several pages, the first is the oldest, also if it does not say how old.
        if context.recorded(.position) == nil {
            context.record(answer.head.headerFields[.tidingsPosition] ?? "unknown", as: .position)
        }
        return answer.value
    }
}
