import HTTPTypes

extension SyncClient {
    /// A change of an entity: it shows at once wherever the entity is shown, is sent in the order in which an entity's
    /// changes were asked for, and settles with the answer.
    ///
    /// - If the answer is the entity, it takes the place of what was shown, and only lists are fetched again.
    /// - If the server says that somebody else was faster, the mutation fails with ``EntityConflict``, and the entity is
    ///   shown as it is.
    /// - If it fails otherwise, what it showed is taken back.
    ///
    /// Each attempt is sent with the same `Idempotency-Key`, and with an `X-Mutation-ID` by which its echo is known.
    ///
    /// - Parameters:
    ///   - name: What it is called in storage and in filters, such as `orders.update`.
    ///   - entity: What it changes.
    ///   - identifier: Which entity an input is about, as it is written on the wire.
    ///   - basis: On which version of the entity the user based an input; nil is on the one that is known when it is sent.
    ///   - isLocking: Whether the server refuses it if the version that is sent is not the current one.
    ///   - isDeletion: Whether the entity is gone afterwards.
    ///   - show: Shows what the server will have done.
    ///   - request: What to send, given the version that the change is based on: the basis, with the changes that this
    ///     client has made since. Nil if no version is known.
    ///   - output: What the server answers.
    public func mutation<Entity: Codable, Input, Output: Decodable>(
        _ name: String,
        of entity: SyncedEntity<Entity>,
        about identifier: @escaping @Sendable (Input) -> String,
        basis: @escaping @Sendable (Input) -> Int64? = { _ in nil },
        isLocking: Bool = false,
        isDeletion: Bool = false,
        show: @escaping @Sendable (Input, EntityChanges<Entity>) -> Void,
        request: @escaping @Sendable (Input, Int64?) throws -> APIRequest,
        as output: Output.Type
    ) -> Mutation<Input, Output> {
        let settling = EntitySettling(client: self, entity: entity, isDeletion: isDeletion)
        return Mutation<Input, Output>(name, options: configuration.mutations) { input, context in
            let make = {
                let version = self.version(of: identifier(input), of: entity, basis: basis(input))
                var made = try request(input, version)
                made.headers[.idempotencyKey] = context.idempotencyKey
                made.headers[.mutationID] = context.identifier.description
                return (request: made, version: version)
            }
            let confirmations = self.confirmations.current(context.identifier, Entity.self)
            let (sent, version) = try confirmations?.request(make) ?? make()
            do {
                let answer = try await self.api.send(sent, as: output)
                settling.confirm(answer, identifier(input), lockedTo: isLocking ? version : nil, context.identifier)
                return answer.value
            } catch let error as APIError {
                guard let current = error.current(as: Entity.self) else { throw error }
                throw EntityConflict(current: current, cause: error)
            }
        }
        .scoped { "\(entity.name):\(identifier($0))" }
        .onMutate { input, context in
            let confirmations = self.confirmations.begin(context.identifier, Entity.self, in: context.client)
            show(input, EntityChanges(entity, context, confirmations))
        }
        .onSuccess { output, input, _ in settling.take(output as? Entity, identifier(input)) }
        .onError { error, input, _ in settling.take((error as? EntityConflict<Entity>)?.current, identifier(input)) }
        .onSettled { result, input, context in
            self.confirmations.end(context.identifier)
            settling.finish(result.map { $0 is Entity }, identifier(input))
        }
    }

    /// The version to send a change with.
    private func version<Entity>(_ identifier: String, _ entity: SyncedEntity<Entity>) -> Int64? {
        let detail = queries.entries(.exactly(entity.key(identifier))).first?.baseVersion
        let listed = entity.listed(identifier, in: queries).flatMap(entity.version)
        return [detail, listed].compactMap { $0 }.max()
    }

    private func version<Entity>(of identifier: String, of entity: SyncedEntity<Entity>, basis: Int64?) -> Int64? {
        guard let known = basis ?? version(identifier, entity) else { return nil }
        return versions.latest(entity.name, identifier, since: known)
    }
}

extension APIRequest {
    /// Has the server refuse the request if the entity is not at a version any more: `If-Match`
    /// ([RFC 9110](https://www.rfc-editor.org/rfc/rfc9110#section-13.1.1)).
    ///
    /// - Parameter version: The version; nil for any.
    public func onlyIf(version: Int64?) -> APIRequest {
        guard let version else { return self }
        var request = self
        request.headers[.ifMatch] = "\"\(version)\""
        return request
    }
}

/// What becomes of the cache when a change of an entity has been answered.
private struct EntitySettling<Entity: Codable & Sendable>: Sendable {
    let client: SyncClient
    let entity: SyncedEntity<Entity>
    let isDeletion: Bool

    /// The server has made the change: it is not shown on top of the data any more, but part of it.
    ///
    /// - Parameter version: On which one the server has insisted; without, somebody else's change may be between.
    func confirm<Output>(
        _ answer: APIAnswer<Output>,
        _ identifier: String,
        lockedTo version: Int64?,
        _ mutation: MutationIdentifier
    ) {
        let current = answer.value as? Entity
        let tag = answer.head.headerFields[.eTag].flatMap { Int64($0.trimmingQuotes) }
        let new = current.flatMap(entity.version) ?? tag
        if let new { client.versions.record(entity.name, identifier, from: version ?? new - 1, to: new) }
        let truth = EntityTruth(answer: current, version: new, versionOf: entity.version)
        client.confirmations.current(mutation, Entity.self)?.confirm(as: truth, in: client.queries)
    }

    /// The server has said how the entity is.
    func take(_ current: Entity?, _ identifier: String) {
        guard let current else { return }
        let entity = entity
        let isNewer = { @Sendable (old: Entity) in
            guard let old = entity.version(old), let new = entity.version(current) else { return true }
            return new >= old
        }
        client.queries.batch {
            let detail = entity.detail(identifier)
            client.queries.setData(for: detail) { $0.map(isNewer) ?? true ? current : nil }
            for form in entity.lists {
                form.change(client.queries, .under(entity.keys.lists)) { pages in
                    for page in pages.indices {
                        for row in pages[page].indices where entity.identifier(pages[page][row]) == identifier {
                            if isNewer(pages[page][row]) { pages[page][row] = current }
                        }
                    }
                }
            }
        }
    }

    /// Makes stale what the answer did not tell: lists, what belongs to the entity, and itself if it was not answered.
    func finish(_ result: Result<Bool, any Error>, _ identifier: String) {
        let detail = entity.key(identifier)
        let queries = client.queries
        queries.batch {
            queries.invalidate(.under(entity.keys.lists))
            switch result {
            case .success where isDeletion: queries.remove(.under(detail))
            case .success(true):
                var parts = QueryFilter.under(detail)
                parts.predicate = { $0.key != detail }
                queries.invalidate(parts)
            case .success(false), .failure: queries.invalidate(.under(detail))
            }
        }
    }
}

extension StringProtocol {
    /// What is between quotes.
    fileprivate var trimmingQuotes: Substring {
        guard count >= 2, hasPrefix("\""), hasSuffix("\"") else { return Substring(self) }
        return Substring(dropFirst().dropLast())
    }
}
