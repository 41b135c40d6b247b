/// What an observer shows while there is no data. It is the observer's own: the cache does not know it.
public struct Placeholder<Value: Sendable>: Sendable {
    let value: @Sendable (_ previous: Value?) -> Value?

    /// Nothing.
    public static var none: Placeholder { Placeholder { _ in nil } }

    /// The data of the query that was observed before, if there was one: a list keeps its rows until the next page is
    /// there.
    public static var previous: Placeholder { Placeholder { $0 } }

    /// A value.
    public static func value(_ value: Value) -> Placeholder { Placeholder { _ in value } }

    /// What a function makes of the data of the query that was observed before.
    ///
    /// - Parameter make: Gets that data, or nil; called outside of any lock.
    public static func make(_ make: @escaping @Sendable (_ previous: Value?) -> Value?) -> Placeholder {
        Placeholder(value: make)
    }
}
