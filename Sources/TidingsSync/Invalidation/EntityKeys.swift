#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The keys under which the data of one kind of entity is cached.
///
/// | | |
/// |---|---|
/// | ``all`` | `["orders"]` |
/// | ``lists`` | `["orders", "list"]` |
/// | ``list(_:)`` | `["orders", "list", {"status": "open"}]` |
/// | ``pages(_:)`` | `["orders", "list", {"status": "open"}, "pages"]` |
/// | ``details`` | `["orders", "detail"]` |
/// | ``detail(_:)`` | `["orders", "detail", "42"]` |
/// | ``part(_:of:)`` | `["orders", "detail", "42", "history"]` |
///
/// An entity of which there is one has no lists and no identifiers: it is ``details``, and ``part(_:)`` is below it.
public struct EntityKeys: Hashable, Sendable {
    /// Everything of the entity.
    public let all: QueryKey

    /// Makes keys.
    ///
    /// - Parameter name: What the entity's data is called, such as `orders`.
    public init(_ name: String) {
        all = [.string(name)]
    }

    /// All lists.
    public var lists: QueryKey { all.appending("list") }

    /// One list.
    ///
    /// - Parameter parameters: What it was asked for with.
    public func list(_ parameters: [String: QueryKey.Segment] = [:]) -> QueryKey {
        lists.appending(.object(parameters))
    }

    /// One list that comes in pages.
    ///
    /// - Parameter parameters: What it was asked for with.
    public func pages(_ parameters: [String: QueryKey.Segment] = [:]) -> QueryKey {
        list(parameters).appending("pages")
    }

    /// All that is about single entities.
    public var details: QueryKey { all.appending("detail") }

    /// One entity, and what belongs to it.
    ///
    /// - Parameter identifier: Which one, as it is written on the wire.
    public func detail(_ identifier: String) -> QueryKey {
        details.appending(.string(identifier))
    }

    /// What belongs to an entity of which there is one.
    ///
    /// - Parameter name: What it is called.
    public func part(_ name: String) -> QueryKey {
        details.appending(.string(name))
    }

    /// What belongs to one entity.
    ///
    /// - Parameters:
    ///   - name: What it is called.
    ///   - identifier: Which entity.
    public func part(_ name: String, of identifier: String) -> QueryKey {
        detail(identifier).appending(.string(name))
    }
}

/// How the keys under a prefix tell which entity they are about.
public enum EntityKeyShape: Hashable, Sendable {
    /// They do not: every event is about all of them.
    case whole
    /// There is one entity, and they are all about it.
    case single
    /// The identifier follows the segment `"detail"`, as in ``EntityKeys``; everything else is a list.
    case detail
    /// The identifier follows the prefix, as in `["orders", "42"]`; what has no text or number there is a list.
    case bare

    /// Whether a key is that of an entity itself, and not of what belongs to it.
    func isDetail(_ key: QueryKey, of entity: String, under prefix: QueryKey) -> Bool {
        switch self {
        case .whole: false
        case .single: key.segments.last == "detail"
        case .detail, .bare: self.entity(of: key, under: prefix) == entity && key.segments.last?.identifier == entity
        }
    }

    /// The identifier of the entity that a key is about; nil for a list.
    func entity(of key: QueryKey, under prefix: QueryKey) -> String? {
        let segments = key.segments
        switch self {
        case .whole, .single: return nil
        case .detail:
            guard let index = segments.firstIndex(of: "detail") else { return nil }
            return segments.dropFirst(index + 1).first?.identifier
        case .bare:
            return segments.dropFirst(prefix.segments.count).first?.identifier
        }
    }
}

extension String {
    /// Identifiers are compared as they are, but for UUIDs, which some write in capitals (RFC 9562 §4).
    var wireIdentifier: String {
        utf8.count == 36 && UUID(uuidString: self) != nil ? lowercased() : self
    }
}

extension QueryKey.Segment {
    /// A text or a number, as it is written on the wire.
    fileprivate var identifier: String? {
        switch self {
        case .string(let text): text.wireIdentifier
        case .integer(let number): String(number)
        case .boolean, .null, .object, .array: nil
        }
    }
}
