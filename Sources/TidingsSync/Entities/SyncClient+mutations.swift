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
        let change = EntityMutation<Entity, Input, Output>(
            // The cache may keep its mutations, so they do not keep the client.
            api: api,
            inbox: inbox,
            versions: versions,
            entity: entity,
            identifier: identifier,
            basis: basis,
            isLocking: isLocking,
            isDeletion: isDeletion,
            request: request
        )
        return Mutation(name, options: configuration.mutations) { try await change.send($0, $1) }
            .scoped { "\(entity.name):\(identifier($0))" }
            .showing { show($0, change.begin($1)) }
            .onMutate { change.prepare($0, $1) }
            .onError { change.fail($0, $1, $2) }
            .onSettled { await change.settle($0, $1, $2) }
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
