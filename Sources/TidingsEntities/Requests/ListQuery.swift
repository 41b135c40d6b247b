import FoundationEssentials
import TidingsWire

/// What a list is asked for: filters, an order, and where to go on.
struct ListQuery {
    static let standardLimit = 50
    static let maximumLimit = 200

    /// A column and the values that it may have.
    private(set) var filters: [(place: Int, values: [SQLValue])] = []
    private(set) var order: Order
    private(set) var limit = Self.standardLimit
    private(set) var after: Cursor?
    private let schema: EntitySchema

    /// By which column, and in which direction. Of the same values the identifier decides.
    struct Order: Hashable {
        let place: Int
        let isDescending: Bool
    }

    /// Where the page before ended.
    struct Cursor {
        let value: SQLValue
        let id: UUID
    }

    /// Reads the parameters of a URL.
    ///
    /// - Throws: ``EntityError/Code/invalidParameter``.
    init(_ parameters: [(name: String, value: String)], of schema: EntitySchema) throws {
        self.schema = schema
        order =
            schema.roles.createdAt.map { Order(place: $0, isDescending: true) }
            ?? Order(place: schema.roles.key, isDescending: false)
        var cursor: String?
        var single: Set<String> = []
        for (name, value) in parameters {
            if ["sort", "limit", "cursor"].contains(name), !single.insert(name).inserted {
                throw EntityError.invalidParameter(name, "is given twice")
            }
            switch name {
            case "sort": order = try Self.order(value, of: schema)
            case "limit": limit = try Self.limit(value)
            case "cursor": cursor = value
            default: try addFilter(name, value)
            }
        }
        after = try cursor.map(readCursor)
    }

    static func limit(_ text: String) throws -> Int {
        guard let limit = Int(text), (1...maximumLimit).contains(limit) else {
            throw EntityError.invalidParameter("limit", "is 1–\(maximumLimit)")
        }
        return limit
    }

    private static func order(_ text: String, of schema: EntitySchema) throws -> Order {
        let isDescending = text.hasPrefix("-")
        let name = isDescending ? String(text.dropFirst()) : text
        guard let place = schema.layout.place(ofColumn: name), !schema.columns[place].limits.isSyncExcluded else {
            throw EntityError.invalidParameter("sort", "is the name of a field, with a minus before it for descending")
        }
        return Order(place: place, isDescending: isDescending)
    }

    private mutating func addFilter(_ name: String, _ text: String) throws {
        guard let place = schema.layout.place(ofColumn: name), !schema.columns[place].limits.isSyncExcluded else {
            throw EntityError.invalidParameter(name, "is no field of \(schema.name)")
        }
        guard !text.utf8.contains(0) else {
            throw EntityError.invalidParameter(name, "cannot contain the character U+0000")
        }
        switch FieldReader.value(of: text, as: schema.columns[place].type) {
        case .failure(let failure): throw EntityError.invalidParameter(name, failure.message)
        case .success(let value):
            if case .text(let text) = value, let choices = schema.columns[place].definition.choices,
                !choices.contains(text)
            {
                throw EntityError.invalidParameter(name, "is one of \(choices.joined(separator: ", "))")
            }
            let value = schema.columns[place].normal(value)
            if let index = filters.firstIndex(where: { $0.place == place }) {
                guard filters[index].values.count < Self.maximumLimit else {
                    throw EntityError.invalidParameter(name, "is given at most \(Self.maximumLimit) times")
                }
                filters[index].values.append(value)
            } else {
                filters.append((place, [value]))
            }
        }
    }
}

// MARK: - SQL

extension ListQuery {
    /// The rows of the page and one more, which tells whether there is another page.
    func records(on connection: any SQLConnection, within scope: RowScope) throws -> [EntityRecord] {
        var (conditions, parameters) = scope.sql(schema)
        for filter in filters {
            let marks = Array(repeating: "?", count: filter.values.count).joined(separator: ", ")
            conditions.append("\(name(filter.place)) IN (\(marks))")
            parameters += filter.values
        }
        if let after {
            let (condition, further) = condition(after)
            conditions.append(condition)
            parameters += further
        }
        let direction = order.isDescending ? "DESC" : "ASC"
        let key = name(schema.roles.key)
        let isByKey = order.place == schema.roles.key
        // Rows without a value come last, in both directions and in every database.
        let first = isByKey ? "" : "\(name(order.place)) \(direction)\(isNullable ? " NULLS LAST" : ""), "
        return try EntityRows(schema: schema, connection: connection)
            .records(where: conditions, parameters, order: "\(first)\(key) \(direction)", limit: limit + 1)
    }

    private var isNullable: Bool { schema.columns[order.place].isNullable }

    private func name(_ place: Int) -> String { SQLName.quoted(schema.columns[place].name) }

    private func condition(_ cursor: Cursor) -> (String, [SQLValue]) {
        let (column, key) = (name(order.place), name(schema.roles.key))
        let comparison = order.isDescending ? "<" : ">"
        if order.place == schema.roles.key { return ("\(key) \(comparison) ?", [.uuid(cursor.id)]) }
        if cursor.value == .null { return ("(\(column) IS NULL AND \(key) \(comparison) ?)", [.uuid(cursor.id)]) }
        let isAfter = "\(column) \(comparison) ? OR (\(column) = ? AND \(key) \(comparison) ?)"
        let orNone = isNullable ? " OR \(column) IS NULL" : ""
        return ("(\(isAfter)\(orNone))", [cursor.value, cursor.value, .uuid(cursor.id)])
    }
}

extension RowScope {
    /// The scope as conditions of SQL.
    func sql(_ schema: EntitySchema) -> (conditions: [String], parameters: [SQLValue]) {
        switch self {
        case .all: return ([], [])
        case .none: return (["1 = 0"], [])
        case .values(let place, let values):
            let name = SQLName.quoted(schema.columns[place].name)
            let known = values.filter { $0 != .null }
            var alternatives =
                known.isEmpty
                ? []
                : [
                    "\(name) IN (\(Array(repeating: "?", count: known.count).joined(separator: ", ")))"
                ]
            if known.count < values.count { alternatives.append("\(name) IS NULL") }
            return alternatives.isEmpty ? (["1 = 0"], []) : (["(\(alternatives.joined(separator: " OR ")))"], known)
        case .every(let scopes):
            return scopes.map { $0.sql(schema) }
                .reduce(into: ([], [])) { $0 = ($0.conditions + $1.conditions, $0.parameters + $1.parameters) }
        }
    }
}

// MARK: - Cursors

extension ListQuery {
    /// Where a page ends that ends with a record. Opaque to clients, and good for the same order and filters only.
    func cursor(after record: EntityRecord) -> String {
        let node = JSONNode.array([
            .string(fingerprint), record.values[order.place].json, record.values[schema.roles.key].json,
        ])
        return Base64URL.encode(node.json)
    }

    private func readCursor(_ text: String) throws -> Cursor {
        guard text.utf8.count <= 16_384, let json = Base64URL.decode(text),
            case .array(let parts)? = try? JSONNode(parsing: json, maximumDepth: 2), parts.count == 3,
            parts[0].text == fingerprint, let id = parts[2].text.flatMap({ FieldReader.uuid($0) }),
            parts[1].text?.utf8.contains(0) != true,
            case .success(let value) = FieldReader.value(of: parts[1], as: schema.columns[order.place].type)
        else {
            throw EntityError.invalidParameter(
                "cursor",
                "is the `next_cursor` of a list with the same filters and the same order"
            )
        }
        return Cursor(value: schema.columns[order.place].type.canonical(value) ?? .null, id: id)
    }

    /// What a cursor is good for: order and filters.
    private var fingerprint: String {
        let order = (self.order.isDescending ? "-" : "") + schema.columns[self.order.place].name
        let filters = filters.map { filter in
            schema.columns[filter.place].name + "=" + filter.values.map(\.jsonText).sorted().joined(separator: ",")
        }
        return Fingerprint.text(([order] + filters.sorted()).joined(separator: "&").utf8)
    }
}
