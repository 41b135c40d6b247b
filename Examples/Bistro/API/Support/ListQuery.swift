import Foundation
import TidingsSync

/// What a list is asked for with: on the wire, and in the key that it is cached at.
struct ListQuery {
    /// For each field the values that it may have, as they are written on the wire; none for any.
    var fields: [(name: String, values: [String])]
    /// By which field; with a minus before it, descending.
    var sort: String?
    /// How many there are on a page.
    var limit: Int?

    var parameters: [(name: String, value: String?)] {
        fields.flatMap { name, values in values.map { (name, $0) } }
            + [("sort", sort), ("limit", limit.map { String($0) })]
    }

    /// The same for the same values in another order.
    var key: [String: QueryKey.Segment] {
        var key: [String: QueryKey.Segment] = [:]
        for (name, values) in fields where !values.isEmpty {
            key[name] = .array(values.sorted().map { .string($0) })
        }
        key["sort"] = sort.map { .string($0) }
        key["limit"] = limit.map { .integer($0) }
        return key
    }
}

extension ListParameters {
    /// Whether a list of these parameters has entities with a date, which is written only for a list that asks for it.
    func admits(_ name: String, _ date: Date) -> Bool { self[name] == nil || admits(name, date.wire) }
}
