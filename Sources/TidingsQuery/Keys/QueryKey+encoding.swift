extension QueryKey: CustomStringConvertible {
    /// The canonical form: JSON without white space, the members of objects sorted by the bytes of their names. Equal
    /// keys have the same form in every process.
    public var description: String {
        var writer = KeyWriter()
        writer.write(.array(segments))
        return writer.text
    }

    /// Reads the canonical form.
    ///
    /// - Parameter canonical: What ``description`` gave.
    /// - Returns: Nil if the text is not the form of a key.
    public init?(canonical: String) {
        var reader = KeyReader(rest: canonical.utf8[...])
        guard case .array(let segments) = reader.segment(depth: 0), reader.rest.isEmpty else { return nil }
        self.init(segments)
    }
}

private struct KeyWriter {
    var text = ""

    mutating func write(_ segment: QueryKey.Segment) {
        switch segment {
        case .string(let value): write(quoted: value)
        case .integer(let value): text += String(value)
        case .boolean(let value): text += value ? "true" : "false"
        case .null: text += "null"
        case .array(let elements): write(elements)
        case .object(let members): write(members)
        }
    }

    private mutating func write(_ elements: [QueryKey.Segment]) {
        text += "["
        for (index, element) in elements.enumerated() {
            if index > 0 { text += "," }
            write(element)
        }
        text += "]"
    }

    private mutating func write(_ members: [String: QueryKey.Segment]) {
        text += "{"
        let sorted = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        for (index, member) in sorted.enumerated() {
            if index > 0 { text += "," }
            write(quoted: member.key)
            text += ":"
            write(member.value)
        }
        text += "}"
    }

    private mutating func write(quoted value: String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\0"..."\u{1F}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}

private struct KeyReader {
    var rest: Substring.UTF8View

    /// Deeper than any key that a person writes, and shallow enough for any stack.
    private static var mostDepth: Int { 64 }

    mutating func segment(depth: Int) -> QueryKey.Segment? {
        guard depth < Self.mostDepth, let first = rest.first else { return nil }
        switch first {
        case UInt8(ascii: "["): return array(depth: depth + 1)
        case UInt8(ascii: "{"): return object(depth: depth + 1)
        case UInt8(ascii: "\""): return string().map(QueryKey.Segment.string)
        default: return word()
        }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func array(depth: Int) -> QueryKey.Segment? {
        guard take("[") else { return nil }
        var elements: [QueryKey.Segment] = []
        if take("]") { return .array(elements) }
        repeat {
            guard let element = segment(depth: depth) else { return nil }
            elements.append(element)
        } while take(",")
        return take("]") ? .array(elements) : nil
    }

    private mutating func object(depth: Int) -> QueryKey.Segment? {
        guard take("{") else { return nil }
        var members: [String: QueryKey.Segment] = [:]
        if take("}") { return .object(members) }
        repeat {
            guard let name = string(), take(":"), let value = segment(depth: depth) else { return nil }
            members[name] = value
        } while take(",")
        return take("}") ? .object(members) : nil
    }

    private mutating func string() -> String? {
        guard take("\"") else { return nil }
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""): return String(validating: bytes, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let escaped = escape() else { return nil }
                bytes.append(escaped)
            default: bytes.append(byte)
            }
        }
        return nil
    }

    /// Only what the canonical form escapes: quotes, backslashes and control characters.
    private mutating func escape() -> UInt8? {
        guard let kind = rest.popFirst() else { return nil }
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): return kind
        case UInt8(ascii: "u"):
            guard let digits = String(rest.prefix(4)), digits.utf8.count == 4 else { return nil }
            rest.removeFirst(4)
            return UInt8(digits, radix: 16)
        default: return nil
        }
    }

    private mutating func word() -> QueryKey.Segment? {
        let end = rest.firstIndex { [UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}")].contains($0) }
        let word = rest[..<(end ?? rest.endIndex)]
        rest = rest[(end ?? rest.endIndex)...]
        return switch String(word) {
        case "null": .null
        case "true": .boolean(true)
        case "false": .boolean(false)
        case let text: text.flatMap { Int($0) }.map(QueryKey.Segment.integer)
        }
    }
}
