/// A JSON document as a tree: members stay in their order, doubles included, and numbers as they are written.
package indirect enum JSONNode: Hashable, Sendable {
    /// `null`.
    case null
    /// `true` or `false`.
    case boolean(Bool)
    /// A number as it is written.
    case number(String)
    /// A text.
    case string(String)
    /// Values in order.
    case array([JSONNode])
    /// Named values in order.
    case object([Member])

    /// A named value of an object.
    package struct Member: Hashable, Sendable {
        package let name: String
        package let value: JSONNode

        package init(_ name: String, _ value: JSONNode) {
            self.name = name
            self.value = value
        }
    }

    /// Reads a document.
    ///
    /// - Parameters:
    ///   - text: UTF-8 JSON (RFC 8259).
    ///   - maximumDepth: How deep arrays and objects may be nested.
    /// - Throws: ``WireError`` with the code ``WireError/Code/badJSON`` that says what is wrong where.
    package init(parsing text: [UInt8], maximumDepth: Int) throws(WireError) {
        guard text.withUnsafeBytes(UTF8Validator.isValid) else { throw WireError(.badJSON, "The text is not UTF-8.") }
        do throws(JSONScanner.Fault) {
            self = try JSONScanner.node(of: text, maximumDepth: maximumDepth)
        } catch {
            throw WireError(.badJSON, "The text is not JSON: \(error.message) (byte \(error.offset)).")
        }
    }

    /// A whole number.
    package static func integer(_ value: some BinaryInteger) -> JSONNode { .number(String(value)) }

    /// An object with members in this order.
    package static func members(_ members: KeyValuePairs<String, JSONNode?>) -> JSONNode {
        .object(members.compactMap { name, value in value.map { Member(name, $0) } })
    }

    /// The object with further members behind its own.
    package func adding(_ further: [Member]) -> JSONNode {
        guard case .object(let members) = self else { return self }
        return .object(members + further)
    }

    /// A member's value; nil if there is none, or this is no object.
    package subscript(name: String) -> JSONNode? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.name.utf8.elementsEqual(name.utf8) }?.value
    }

    /// The document as UTF-8 JSON without white space.
    package var json: [UInt8] {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return bytes
    }

    /// Appends the document as UTF-8 JSON.
    package func append(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes += Array("null".utf8)
        case .boolean(let value): bytes += Array((value ? "true" : "false").utf8)
        case .number(let text): bytes += Array(text.utf8)
        case .string(let text): JSONWriter.append(text, to: &bytes)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (place, element) in elements.enumerated() {
                if place > 0 { bytes.append(UInt8(ascii: ",")) }
                element.append(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            for (place, member) in members.enumerated() {
                if place > 0 { bytes.append(UInt8(ascii: ",")) }
                JSONWriter.append(member.name, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.append(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }
}
