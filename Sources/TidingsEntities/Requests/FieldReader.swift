import FoundationEssentials
import TidingsWire

/// Reads the fields of a request's body.
struct FieldReader {
    /// The body's members that are no fields, such as `version` and `to`.
    private(set) var others: [String: JSONNode] = [:]
    private var values: [SQLValue?]
    private var faults: [FieldFault] = []
    private let layout: FieldLayout
    /// The members that were given, sound or not.
    private var seen: Set<String> = []

    /// Reads a body.
    ///
    /// - Parameters:
    ///   - body: UTF-8 JSON.
    ///   - layout: The fields.
    ///   - isAllowed: Which fields may be given.
    ///   - others: What may be given besides fields.
    ///   - isOptional: Whether no body at all is an empty object.
    /// - Throws: ``EntityError/Code/invalid`` if it is no JSON object.
    init(
        _ body: [UInt8],
        _ layout: FieldLayout,
        allowing isAllowed: (EntityColumn) -> Bool,
        and others: Set<String> = [],
        isOptional: Bool = false
    ) throws {
        self.layout = layout
        values = Array(repeating: nil, count: layout.columns.count)
        for member in isOptional && body.isEmpty ? [] : try Self.members(of: body) {
            guard seen.insert(member.name).inserted else {
                fault(member.name, "duplicate", "is given twice")
                continue
            }
            if others.contains(member.name) {
                self.others[member.name] = member.value
            } else if let place = layout.place(ofColumn: member.name), isAllowed(layout.columns[place]) {
                read(member.value, into: place)
            } else if let place = layout.place(ofColumn: member.name), !layout.columns[place].limits.isSyncExcluded {
                fault(member.name, "read_only", "cannot be set here")
            } else {
                fault(member.name, "unknown", "is no field of \(layout.owner)")
            }
        }
    }

    private static func members(of body: [UInt8]) throws -> [JSONNode.Member] {
        guard !body.isEmpty else { throw EntityError(.malformed, "The body is missing: it is a JSON object.") }
        let node: JSONNode
        do throws(WireError) {
            node = try JSONNode(parsing: body, maximumDepth: 8)
        } catch {
            throw EntityError(.malformed, error.message)
        }
        guard case .object(let members) = node else { throw EntityError(.malformed, "The body is no JSON object.") }
        return members
    }

    private mutating func read(_ node: JSONNode, into place: Int) {
        let column = layout.columns[place]
        switch Self.value(of: node, as: column.type) {
        case .success(let value):
            values[place] = column.normal(value)
            if let fault = FieldCheck.fault(of: column.normal(value), in: column) { faults.append(fault) }
        case .failure(let failure): fault(column.name, failure.code, failure.message)
        }
    }

    /// The version that a change is based on; nil if it is not given.
    mutating func version() -> Int64? {
        guard let node = others["version"] else { return nil }
        guard case .success(.integer(let version)) = Self.value(of: node, as: .integer), version > 0 else {
            fault("version", "type", "is a whole number of at least 1")
            return nil
        }
        return version
    }

    /// The text of a member besides the fields; nil if it is not given.
    mutating func text(_ name: String) -> String? {
        guard let node = others[name] else { return nil }
        guard let text = node.text else {
            fault(name, "type", "is a text")
            return nil
        }
        return text
    }

    mutating func fault(_ name: String, _ code: String, _ message: String) {
        let pointer = name.replacing("~", with: "~0").replacing("/", with: "~1")
        faults.append(FieldFault(pointer: "/" + pointer, code: code, message: message))
    }

    /// Says which fields are missing.
    mutating func require(_ isRequired: (EntityColumn) -> Bool) {
        for column in layout.columns where isRequired(column) && !seen.contains(column.name) {
            fault(column.name, "required", "is missing")
        }
    }

    /// The values by column; nil for those that were not mentioned.
    ///
    /// - Throws: ``EntityError/Code/invalid`` if anything was wrong.
    func finish() throws -> [SQLValue?] {
        guard faults.isEmpty else { throw EntityError.invalid(faults) }
        return values
    }
}

// MARK: - Values

extension FieldReader {
    struct Failure: Error {
        let code: String
        let message: String
    }

    /// The value of a JSON value.
    static func value(of node: JSONNode, as type: FieldType) -> Result<SQLValue, Failure> {
        switch (node, type) {
        case (.null, _): .success(.null)
        case (.string(let text), .text): .success(.text(text))
        case (.string(let text), .date), (.string(let text), .uuid): value(of: text, as: type)
        case (.number(let text), .integer), (.number(let text), .real): value(of: text, as: type)
        case (.boolean(let value), .boolean): .success(.boolean(value))
        default: .failure(Failure(code: "type", message: type.description))
        }
    }

    /// The value of a text, such as a parameter in a URL.
    static func value(of text: String, as type: FieldType) -> Result<SQLValue, Failure> {
        let value: SQLValue? =
            switch type {
            case .text: .text(text)
            case .integer: integer(text).map(SQLValue.integer)
            case .real: Double(text).flatMap { $0.isFinite ? .real($0) : nil }
            case .boolean: text == "true" ? .boolean(true) : text == "false" ? .boolean(false) : nil
            // An offset can lead out of the years that can be written.
            case .date: Timestamp.date(text).flatMap { Timestamp.text($0) == nil ? nil : .date($0) }
            case .uuid: uuid(text).map(SQLValue.uuid)
            }
        guard let value else { return .failure(Failure(code: "type", message: type.description)) }
        return .success(value)
    }

    /// A whole number, also one that is written with a fraction of nothing or an exponent, as far as those are exact.
    private static func integer(_ text: String) -> Int64? {
        if let value = Int64(text) { return value }
        guard let value = Double(text), value.magnitude < 9_007_199_254_740_992 else { return nil }
        return Int64(exactly: value)
    }

    /// Only the form with hyphens: what came in comes out again.
    static func uuid(_ text: some StringProtocol) -> UUID? {
        text.utf8.count == 36 ? UUID(uuidString: String(text)) : nil
    }
}

extension FieldType {
    /// What a value of this type is, as it follows a field's name in a sentence.
    fileprivate var description: String {
        switch self {
        case .text: "is a text"
        case .integer: "is a whole number of at most 64 bits"
        case .real: "is a finite number"
        case .boolean: "is true or false"
        case .date: "is a date and time in RFC 3339"
        case .uuid: "is a UUID"
        }
    }
}
