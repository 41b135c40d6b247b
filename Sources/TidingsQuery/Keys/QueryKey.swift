/// The name of an entry in the cache: a path from the general to the particular.
///
/// ```swift
/// let open: QueryKey = ["orders", "list", ["status": "open"]]
/// let detail: QueryKey = ["orders", "detail", 42]
/// ```
///
/// Two keys are the same if their segments are; the order of an object's members does not count. The number `1` and the
/// text `"1"` differ, and so do texts that are encoded differently, such as the two ways to write `"é"` in Unicode: a server
/// may take them for different things. A key stands for everything below it wherever a ``QueryFilter`` is meant.
public struct QueryKey: Hashable, Sendable {
    /// The path, from the general to the particular.
    public let segments: [Segment]

    /// Makes a key of its path.
    ///
    /// - Parameter segments: From the general to the particular.
    public init(_ segments: [Segment]) {
        self.segments = segments
    }

    /// A key further down the same path.
    ///
    /// - Parameter segments: What comes after this key's own segments.
    public func appending(_ segments: Segment...) -> QueryKey {
        QueryKey(self.segments + segments)
    }

    /// Whether this key lies at or below another.
    ///
    /// Each segment of the prefix has to match the one at its place. Objects match if they have at least the members that
    /// the prefix names, arrays if they begin with its elements; everything else has to be equal.
    ///
    /// - Parameter prefix: The more general key.
    public func starts(with prefix: QueryKey) -> Bool {
        segments.matches(prefix.segments)
    }
}

extension QueryKey: ExpressibleByArrayLiteral {
    /// Makes a key of its path.
    public init(arrayLiteral elements: Segment...) {
        self.init(elements)
    }
}

extension QueryKey {
    /// One step of a key's path. Literals of Swift stand for it: `"orders"`, `42`, `true`, `nil`, `["status": "open"]`.
    public enum Segment: Hashable, Sendable {
        /// A text.
        case string(String)
        /// A whole number.
        case integer(Int)
        /// Yes or no.
        case boolean(Bool)
        /// Nothing, as a value of its own.
        case null
        /// Named members; their order does not count.
        case object([String: Segment])
        /// Some segments in order.
        case array([Segment])

        func matches(_ pattern: Segment) -> Bool {
            switch (self, pattern) {
            case (.object(let members), .object(let wanted)):
                wanted.allSatisfy { name, value in members.exactly(name)?.matches(value) ?? false }
            case (.array(let elements), .array(let wanted)):
                elements.matches(wanted)
            default:
                self == pattern
            }
        }

        /// Whether a pattern can match nothing but itself.
        var isExact: Bool {
            switch self {
            case .object, .array: false
            default: true
            }
        }
    }
}

extension QueryKey.Segment {
    /// Whether two segments have the same canonical form.
    public static func == (left: QueryKey.Segment, right: QueryKey.Segment) -> Bool {
        switch (left, right) {
        case (.string(let left), .string(let right)): left.utf8.elementsEqual(right.utf8)
        case (.integer(let left), .integer(let right)): left == right
        case (.boolean(let left), .boolean(let right)): left == right
        case (.null, .null): true
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)):
            left.count == right.count && left.allSatisfy { name, value in right.exactly(name) == value }
        default: false
        }
    }
}

extension [String: QueryKey.Segment] {
    /// The member of a name that is encoded in the same way.
    fileprivate func exactly(_ name: String) -> QueryKey.Segment? {
        guard let index = index(forKey: name), self[index].key.utf8.elementsEqual(name.utf8) else { return nil }
        return self[index].value
    }
}

extension [QueryKey.Segment] {
    /// Whether these begin with what a pattern asks for.
    func matches(_ pattern: [QueryKey.Segment]) -> Bool {
        count >= pattern.count && zip(self, pattern).allSatisfy { $0.matches($1) }
    }
}

extension QueryKey.Segment: ExpressibleByStringInterpolation {
    /// A text.
    public init(stringLiteral value: String) { self = .string(value) }
}

extension QueryKey.Segment: ExpressibleByIntegerLiteral {
    /// A whole number.
    public init(integerLiteral value: Int) { self = .integer(value) }
}

extension QueryKey.Segment: ExpressibleByBooleanLiteral {
    /// Yes or no.
    public init(booleanLiteral value: Bool) { self = .boolean(value) }
}

extension QueryKey.Segment: ExpressibleByNilLiteral {
    /// Nothing, as a value of its own.
    public init(nilLiteral: ()) { self = .null }
}

extension QueryKey.Segment: ExpressibleByDictionaryLiteral {
    /// Named members; of two with the same name, the last one counts.
    public init(dictionaryLiteral elements: (String, QueryKey.Segment)...) {
        self = .object(Dictionary(elements, uniquingKeysWith: { $1 }))
    }
}

extension QueryKey.Segment: ExpressibleByArrayLiteral {
    /// Some segments in order.
    public init(arrayLiteral elements: QueryKey.Segment...) { self = .array(elements) }
}
