import HTTPTypes

/// What happens in the life of a change of an entity: between the cache, which shows it, and the server, which makes it.
struct EntityMutation<Entity: Codable & Sendable, Input: Sendable, Output: Decodable & Sendable>: Sendable {
    let api: APIClient
    let inbox: SyncInbox
    let versions: OwnVersions
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
        let confirmations = EntityConfirmations<Entity>()
        context.attach(confirmations)
        return EntityChanges(entity, context, confirmations)
    }

    /// What happens before it is stored: the changes that this client has made since its basis are not known any more after
    /// a restart.
    func prepare(_ input: Input, _ context: MutationContext) {
        let known = context.recorded(.askedFor).flatMap { Int64($0) } ?? basis(input)
        guard let known else { return }
        context.note(String(versions.latest(entity.name, identifier(input), since: known)), as: .askedFor)
    }

    /// One attempt. All of them send the same, also after a restart: another request would not be the same change, and a
    /// server that knows its key refuses it.
    func send(_ input: Input, _ context: MutationContext) async throws -> Output {
        let waiting = context.attached(as: EntityConfirmations<Entity>.self)
        let version = await version(for: input, context)
        let sent = try makeRequest(input, version, context)
        do {
            let answer = try await api.send(sent, as: Output.self)
            let truth = truth(of: answer)
            if let new = truth.version {
                // Where the server has not insisted on a version, somebody else's change may be between.
                let old = isLocking ? version ?? new - 1 : new - 1
                versions.record(entity.name, identifier(input), from: old, to: new)
                await handOn(context, OwnVersions.Step(from: old, to: new))
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
    func settle(_ result: Result<Output, any Error>, _ input: Input, _ context: MutationContext) async {
        // A change that was refused is another one when somebody asks for it once more.
        if case .failure(let error) = result, Self.isRefusal(error) { await context.record(nil, as: .basis) }
        if case .failure = result { await handOn(context) }
        let (queries, detail) = (context.client, entity.key(identifier(input)))
        queries.batch {
            queries.invalidate(.under(entity.keys.lists))
            switch result {
            case .success where isDeletion: queries.drop(.under(detail))
            case .success(let output) where isLastWord(output): queries.invalidate(.below(detail))
            case .failure(let error) where error is EntityConflict<Entity>: queries.invalidate(.below(detail))
            case .success, .failure: queries.invalidate(.under(detail))
            }
        }
    }
}

// MARK: - Requests and answers

extension EntityMutation {
    /// Whether an answer is the entity and says how new it is. Another may be older than what somebody else's change has
    /// brought meanwhile, and nobody could tell.
    private func isLastWord(_ output: Output) -> Bool {
        (output as? Entity).flatMap(entity.version) != nil
    }

    /// Whether the server has said that it has not made the change. Otherwise nobody knows, and the same request has to be
    /// sent if it is tried once more.
    private static func isRefusal(_ error: any Error) -> Bool {
        guard let error = error as? APIError else { return error is EntityConflict<Entity> }
        // An answer that cannot be read may say that it was made, and one of a proxy says nothing of the server.
        return error.status.map { (400..<500).contains($0) } ?? false && !error.isTransient
    }

    private func makeRequest(_ input: Input, _ version: Int64?, _ context: MutationContext) throws -> APIRequest {
        var made = try request(input, version)
        made.headers[.idempotencyKey] = context.idempotencyKey
        made.headers[.mutationID] = context.identifier.description
        return made
    }

    /// The version that a change is based on, with the changes that this client had made until it was first sent.
    private func version(for input: Input, _ context: MutationContext) async -> Int64? {
        if let kept = context.recorded(.basis) { return Int64(kept) }
        let identifier = identifier(input)
        for step in OwnVersions.Step.read(context.recorded(.steps)) {
            versions.record(entity.name, identifier, from: step.from, to: step.to)
        }
        let asked = context.recorded(.askedFor).flatMap { Int64($0) } ?? basis(input)
        let known = asked ?? knownVersion(of: identifier, in: context.client)
        let version = known.map { versions.latest(entity.name, identifier, since: $0) }
        await context.record(version.map(String.init) ?? "none", as: .basis)
        return version
    }

    /// Tells the next change of the entity which versions this client's changes before it have led to, for the case that it
    /// is sent by another process.
    private func handOn(_ context: MutationContext, _ step: OwnVersions.Step? = nil) async {
        let steps = OwnVersions.Step.read(context.recorded(.steps)) + [step].compactMap(\.self)
        if !steps.isEmpty { await context.recordForNext(OwnVersions.Step.write(steps), as: .steps) }
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
            let isKnown = queries.entries(.exactly(detail.key)).first?.hasData ?? false
            // What somebody else did meanwhile is not in the answer.
            queries.amendData(for: detail) { $0.map(isNews) ?? true ? current : nil }
            if !isKnown {
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

extension QueryMetadata.Name {
    /// The version that a change is based on, or that none is known.
    fileprivate static let basis: QueryMetadata.Name = "basis"
    /// The version that the user has based a change on, with the client's own changes until it was asked for.
    fileprivate static let askedFor: QueryMetadata.Name = "asked"
    /// What this client's changes before this one have led to while it waited.
    fileprivate static let steps: QueryMetadata.Name = "steps"
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
