import HTTPTypes

/// What happens in the life of a change of an entity: between the cache, which shows it, and the server, which makes it.
struct EntityMutation<Entity: Codable & Sendable, Input: Sendable, Output: Decodable & Sendable>: Sendable {
    let api: APIClient
    let inbox: SyncInbox
    let versions: OwnVersions
    let confirmations: ConfirmationTable
    let entity: SyncedEntity<Entity>
    let identifier: @Sendable (Input) -> String
    let basis: @Sendable (Input) -> Int64?
    let isLocking: Bool
    let isDeletion: Bool
    let request: @Sendable (Input, Int64?) throws -> APIRequest

    /// It is asked for.
    ///
    /// - Returns: Shows what it will have done.
    func begin(_ context: MutationContext) -> EntityChanges<Entity> {
        EntityChanges(entity, context, confirmations.begin(context.identifier, Entity.self, in: context.client))
    }

    /// One attempt. All of them send the same.
    func send(_ input: Input, _ context: MutationContext) async throws -> Output {
        let waiting = confirmations.current(context.identifier, Entity.self)
        let (sent, version) = try confirmations.request(of: context.identifier) { try makeRequest(input, context) }
        do {
            let answer = try await api.send(sent, as: Output.self)
            let truth = truth(of: answer)
            if let new = truth.version {
                // Where the server has not insisted on a version, somebody else's change may be between.
                let old = isLocking ? version ?? new - 1 : new - 1
                versions.record(entity.name, identifier(input), from: old, to: new)
            }
            waiting?.confirm(as: truth, in: context.client)
            let position = answer.head.headerFields[.tidingsPosition]
            if let current = truth.answer { take(current, identifier(input), position, in: context.client) }
            return answer.value
        } catch let error as APIError {
            guard [.staleVersion, .preconditionFailed].contains(error.code),
                let current = error.current(as: Entity.self)
            else { throw error }
            throw EntityConflict(current: current, cause: error)
        }
    }

    /// The server has not made it, or it is not known whether it has.
    func fail(_ error: any Error, _ input: Input, _ context: MutationContext) {
        if let conflict = error as? EntityConflict<Entity> {
            take(conflict.current, identifier(input), nil, in: context.client)
        }
    }

    /// Makes stale what the answer did not tell: lists, what belongs to the entity, and itself if it was not answered.
    func settle(_ result: Result<Output, any Error>, _ input: Input, _ context: MutationContext) {
        confirmations.end(context.identifier, isKnown: Self.isKnown(result))
        let (queries, detail) = (context.client, entity.key(identifier(input)))
        queries.batch {
            queries.invalidate(.under(entity.keys.lists))
            switch result {
            case .success where isDeletion: queries.drop(.under(detail))
            case .success(let output) where output is Entity: queries.invalidate(.below(detail))
            case .failure(let error) where error is EntityConflict<Entity>: queries.invalidate(.below(detail))
            case .success, .failure: queries.invalidate(.under(detail))
            }
        }
    }
}

// MARK: - Requests and answers

extension EntityMutation {
    /// Whether it is known what the server did. Otherwise the same request has to be sent if it is tried once more.
    private static func isKnown(_ result: Result<Output, any Error>) -> Bool {
        guard case .failure(let error) = result else { return true }
        if let error = error as? APIError { return !error.isTransient && error.status != nil }
        return error is EntityConflict<Entity>
    }

    private func makeRequest(
        _ input: Input,
        _ context: MutationContext
    ) throws -> (request: APIRequest, version: Int64?) {
        let version = version(for: input, in: context.client)
        var made = try request(input, version)
        made.headers[.idempotencyKey] = context.idempotencyKey
        made.headers[.mutationID] = context.identifier.description
        return (made, version)
    }

    /// The version that a change is based on, with the changes that this client has made since.
    private func version(for input: Input, in queries: QueryClient) -> Int64? {
        let identifier = identifier(input)
        let known = basis(input) ?? knownVersion(of: identifier, in: queries)
        return known.map { versions.latest(entity.name, identifier, since: $0) }
    }

    private func knownVersion(of identifier: String, in queries: QueryClient) -> Int64? {
        let detail = queries.entries(.exactly(entity.key(identifier))).first?.baseVersion
        let listed = entity.listed(identifier, in: queries).flatMap(entity.version)
        return [detail, listed].compactMap { $0 }.max()
    }

    private func truth(of answer: APIAnswer<Output>) -> EntityTruth<Entity> {
        let current = answer.value as? Entity
        let tag = answer.head.headerFields[.eTag].flatMap { Int64($0.trimmingQuotes) }
        return EntityTruth(answer: current, version: current.flatMap(entity.version) ?? tag, versionOf: entity.version)
    }

    /// Puts what the server has said in the place of what is older, wherever that is.
    ///
    /// - Parameter position: Up to where the server's log is in it; nil if it did not say.
    private func take(_ current: Entity, _ identifier: String, _ position: String?, in queries: QueryClient) {
        let entity = entity
        let isNews: @Sendable (Entity) -> Bool = { old in
            guard let known = entity.version(old), let new = entity.version(current) else { return true }
            return known < new
        }
        let detail = entity.detail(identifier)
        queries.batch {
            // What somebody else did meanwhile is not in the answer.
            let old = queries.entries(.exactly(detail.key)).first
            let wasStale = old?.isInvalidated ?? false
            queries.setData(for: detail) { $0.map(isNews) ?? true ? current : nil }
            if wasStale { queries.invalidate(.exactly(detail.key), refetch: .none) }
            if old?.hasData != true {
                // What was heard before there was an entry has marked nothing.
                queries.record(position, as: .position, for: detail.key)
                inbox.put(.restored(detail.key))
            }
            for form in entity.lists {
                form.change(queries, .under(entity.keys.lists)) { pages in
                    _ = pages.update(where: { entity.identifier($0) == identifier }) { listed in
                        if isNews(listed) { listed = current }
                        return true
                    }
                }
            }
        }
    }
}

extension QueryFilter {
    /// What belongs to the entry at a key, without the entry itself.
    fileprivate static func below(_ key: QueryKey) -> QueryFilter {
        var filter = QueryFilter.under(key)
        filter.predicate = { $0.key != key }
        return filter
    }
}

extension StringProtocol {
    /// What is between quotes.
    fileprivate var trimmingQuotes: Substring {
        guard count >= 2, hasPrefix("\""), hasSuffix("\"") else { return Substring(self) }
        return Substring(dropFirst().dropLast())
    }
}
