extension QueryClient {
    /// Sets what applies to the queries at a key and below it. Of several that match, the later one wins over the earlier
    /// one, option by option; all of them win over the client's defaults, and the query's own options over all.
    ///
    /// Setting it for the same key again replaces what was set, at its old place in the order.
    ///
    /// - Parameters:
    ///   - options: What applies.
    ///   - key: The queries at this key and below it.
    public func setDefaults(_ options: QueryOptions, for key: QueryKey) {
        withCache { cache in
            if let index = cache.keyDefaults.firstIndex(where: { $0.key == key }) {
                cache.effects.release(cache.keyDefaults[index].options)
                cache.keyDefaults[index].options = options
            } else {
                cache.keyDefaults.append((key, options))
            }
        }
    }

    /// Sets what applies to all queries of the client.
    public func setDefaults(_ options: QueryOptions) {
        withCache { cache in
            cache.effects.release(cache.clientDefaults)
            cache.clientDefaults = options
        }
    }

    /// How a query behaves, with all defaults.
    ///
    /// - Parameter query: Which query.
    public func options<Value>(of query: Query<Value>) -> QueryOptions {
        withCache { $0.options(of: query) }
    }

    /// Makes several changes that are told to observers once, at the end.
    ///
    /// Changes that others make meanwhile wait for the end as well, so the function should not take long.
    ///
    /// - Parameter changes: Uses the client.
    public func batch<Outcome>(_ changes: () throws -> Outcome) rethrows -> Outcome {
        withCache { $0.batchDepth += 1 }
        defer { withCache { $0.batchDepth -= 1 } }
        return try changes()
    }
}
