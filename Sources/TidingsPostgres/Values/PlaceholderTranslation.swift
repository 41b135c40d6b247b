#if PostgreSQL
/// A statement in PostgreSQL's spelling: `$1`, `$2` … for each `?`, and `?` for each `??`, outside of strings, quoted
/// names and comments (PostgreSQL 4.1, "Lexical Structure").
struct PlaceholderTranslation {
    /// The statement, ending with a zero.
    private(set) var sql: [UInt8] = []
    private(set) var parameters = 0
    /// Whether it may select all columns of a table, whatever they are: `*`, except in `(*)`.
    private(set) var hasStar = false

    private var rest: ArraySlice<UInt8>
    private var previous: UInt8?

    init(_ text: String) {
        rest = Array(text.utf8)[...]
        sql.reserveCapacity(rest.count + 16)
        while let byte = rest.first { translate(byte) }
        sql.append(0)
    }

    private mutating func translate(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "?"): placeholder()
        case UInt8(ascii: "'"): quoted(by: byte, withEscapes: isAfterEscapeMark)
        case UInt8(ascii: "\""): quoted(by: byte, withEscapes: false)
        case UInt8(ascii: "$") where !isNamePart(previous): dollarQuoted()
        case UInt8(ascii: "-") where rest.dropFirst().first == byte: lineComment()
        case UInt8(ascii: "/") where rest.dropFirst().first == UInt8(ascii: "*"): blockComment()
        case UInt8(ascii: "*"):
            if previous != UInt8(ascii: "(") { hasStar = true }
            copy(1)
        default: copy(1)
        }
    }

    private mutating func placeholder() {
        if rest.dropFirst().first == UInt8(ascii: "?") {
            rest = rest.dropFirst()
            copy(1)
        } else {
            parameters += 1
            sql += "$\(parameters)".utf8
            rest = rest.dropFirst()
            previous = UInt8(ascii: "?")
        }
    }

    /// A string or a name. A doubled quote reads like the end of one and the beginning of the next, which comes to the same.
    private mutating func quoted(by quote: UInt8, withEscapes: Bool) {
        copy(1)
        while let byte = rest.first {
            copy(byte == UInt8(ascii: "\\") && withEscapes ? 2 : 1)
            guard byte == quote else { continue }
            guard withEscapes, rest.first == quote else { return }
            copy(1)
        }
    }

    /// `$tag$ … $tag$`, or a dollar that begins no such string.
    private mutating func dollarQuoted() {
        let name = rest.dropFirst().prefix { isNamePart($0) && $0 != UInt8(ascii: "$") }
        let isTag = name.first.map { !(0x30...0x39).contains($0) } ?? true
        guard isTag, rest.dropFirst(1 + name.count).first == UInt8(ascii: "$") else { return copy(1) }
        let mark = rest.prefix(name.count + 2)
        copy(mark.count)
        while !rest.isEmpty, !rest.starts(with: mark) { copy(1) }
        copy(mark.count)
    }

    private mutating func lineComment() {
        while let byte = rest.first, byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") { copy(1) }
    }

    /// Comments in comments count.
    private mutating func blockComment() {
        var depth = 0
        while !rest.isEmpty {
            if rest.starts(with: "/*".utf8) {
                depth += 1
                copy(2)
            } else if rest.starts(with: "*/".utf8) {
                depth -= 1
                copy(2)
                if depth == 0 { return }
            } else {
                copy(1)
            }
        }
    }

    /// Whether a string that begins here is one with backslashes: `E'…'`.
    private var isAfterEscapeMark: Bool {
        guard previous == UInt8(ascii: "E") || previous == UInt8(ascii: "e") else { return false }
        return !isNamePart(sql.dropLast().last)
    }

    private func isNamePart(_ byte: UInt8?) -> Bool {
        guard let byte else { return false }
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "_"), UInt8(ascii: "$"), 0x80...: return true
        default: return false
        }
    }

    private mutating func copy(_ count: Int) {
        sql += rest.prefix(count)
        rest = rest.dropFirst(count)
        previous = sql.last
    }
}
#endif
