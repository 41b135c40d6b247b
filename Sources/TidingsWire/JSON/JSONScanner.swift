/// Reads one JSON text (RFC 8259) in a single pass: checks it and says where its parts are, without building a tree.
///
/// Payloads travel from publisher to subscriber as the bytes they arrived in. For that a reader needs to know that they
/// are valid and where they begin and end, and nothing else. Memory is the depth of the text, which is limited.
struct JSONScanner {
    /// What stands at a place of the text.
    enum Kind {
        case object, array, string, number, boolean, null
    }

    /// A member of an object: its name, and where it stands.
    struct Member {
        let name: String
        let kind: Kind
        /// The value, without the white space around it.
        let value: Range<Int>
        /// From the quote before the name to the end of the value, as it is written.
        let whole: Range<Int>
    }

    /// Why a text is not JSON. `offset` is the byte at which that shows.
    struct Fault: Error {
        let offset: Int
        let message: String
    }

    private let bytes: UnsafeBufferPointer<UInt8>
    private let maximumDepth: Int
    private var index: Int

    private init(_ bytes: UnsafeBufferPointer<UInt8>, maximumDepth: Int) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
        index = 0
    }
}

// MARK: - Reading a text

extension JSONScanner {
    /// The kind of the text's value, after all of it was checked.
    static func check(_ text: [UInt8], maximumDepth: Int = WireLimits.jsonDepth) throws(Fault) -> Kind {
        try scan(text, maximumDepth: maximumDepth) { (scanner) throws(Fault) in
            try scanner.wholeText { (scanner) throws(Fault) in try scanner.skipValue(depth: 0) }
        }
    }

    /// The members of the text's object in the order of the text; nil if the text is another kind of value.
    ///
    /// Of members with the same name the last one counts (RFC 8259 §4 leaves this open): the others are left out. Names
    /// are the same when their characters are, without normalization (§8.3). Takes time in proportion to the text, also
    /// for an object of nothing but doubles.
    ///
    /// - Parameter name: The only name of interest; nil for all.
    static func members(of text: [UInt8], named name: String? = nil) throws(Fault) -> [Member]? {
        try scan(text) { (scanner) throws(Fault) in
            try scanner.wholeText { (scanner) throws(Fault) in
                guard scanner.peek() == UInt8(ascii: "{") else {
                    _ = try scanner.skipValue(depth: 0)
                    return nil
                }
                return Self.lastOfEachName(try scanner.objectMembers(named: name))
            }
        }
    }

    private static func lastOfEachName(_ members: [Member]) -> [Member] {
        guard members.count > 1 else { return members }
        var names: Set<ExactText> = []
        return members.reversed().filter { names.insert(ExactText($0.name)).inserted }.reversed()
    }

    /// The strings of an array; nil if the text is no array or one of its elements is no string.
    static func strings(of text: [UInt8]) throws(Fault) -> [String]? {
        try scan(text) { (scanner) throws(Fault) in
            try scanner.wholeText { (scanner) throws(Fault) in
                guard scanner.peek() == UInt8(ascii: "[") else {
                    _ = try scanner.skipValue(depth: 0)
                    return nil
                }
                return try scanner.arrayOfStrings()
            }
        }
    }

    /// The value of a text that is one string; nil if it is another kind of value.
    static func string(of text: [UInt8]) throws(Fault) -> String? {
        try scan(text) { (scanner) throws(Fault) in
            try scanner.wholeText { (scanner) throws(Fault) in
                guard scanner.peek() == UInt8(ascii: "\"") else {
                    _ = try scanner.skipValue(depth: 0)
                    return nil
                }
                return try scanner.string()
            }
        }
    }

    /// The whole text as a tree.
    static func node(of text: [UInt8], maximumDepth: Int) throws(Fault) -> JSONNode {
        try scan(text, maximumDepth: maximumDepth) { (scanner) throws(Fault) in
            try scanner.wholeText { (scanner) throws(Fault) in try scanner.node(depth: 0) }
        }
    }

    private static func scan<Result>(
        _ text: [UInt8],
        maximumDepth: Int = WireLimits.jsonDepth,
        _ body: (inout JSONScanner) throws(Fault) -> Result
    ) throws(Fault) -> Result {
        let result = text.withUnsafeBufferPointer { bytes -> Swift.Result<Result, Fault> in
            var scanner = JSONScanner(bytes, maximumDepth: maximumDepth)
            do throws(Fault) {
                return .success(try body(&scanner))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private mutating func wholeText<Result>(
        _ body: (inout JSONScanner) throws(Fault) -> Result
    ) throws(Fault) -> Result {
        skipWhiteSpace()
        let result = try body(&self)
        skipWhiteSpace()
        guard index == bytes.count else { throw fault("there is more after the end of the value") }
        return result
    }
}

// MARK: - Values

extension JSONScanner {
    private func fault(_ message: String) -> Fault {
        Fault(offset: index, message: message)
    }

    private func peek() -> UInt8? {
        index < bytes.count ? bytes[index] : nil
    }

    private mutating func skipWhiteSpace() {
        while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            index += 1
        }
    }

    private mutating func expect(_ byte: UInt8, _ message: String) throws(Fault) {
        guard peek() == byte else { throw fault(message) }
        index += 1
    }

    private mutating func skipValue(depth: Int) throws(Fault) -> Kind {
        switch peek() {
        case UInt8(ascii: "{"):
            try skipContainer(depth: depth, close: UInt8(ascii: "}"), namesMembers: true)
            return .object
        case UInt8(ascii: "["):
            try skipContainer(depth: depth, close: UInt8(ascii: "]"), namesMembers: false)
            return .array
        case UInt8(ascii: "\""):
            _ = try skipString()
            return .string
        case UInt8(ascii: "t"):
            try skipWord("true")
            return .boolean
        case UInt8(ascii: "f"):
            try skipWord("false")
            return .boolean
        case UInt8(ascii: "n"):
            try skipWord("null")
            return .null
        default:
            try skipNumber()
            return .number
        }
    }

    private mutating func skipContainer(depth: Int, close: UInt8, namesMembers: Bool) throws(Fault) {
        try enter(depth)
        guard peek() != close else {
            index += 1
            return
        }
        while true {
            if namesMembers {
                guard peek() == UInt8(ascii: "\"") else { throw fault("the name of a member is missing") }
                _ = try skipString()
                try separateName()
            }
            _ = try skipValue(depth: depth + 1)
            guard try continues(until: close) else { return }
        }
    }

    private mutating func objectMembers(named wanted: String?) throws(Fault) -> [Member] {
        try enter(0)
        var members: [Member] = []
        guard peek() != UInt8(ascii: "}") else {
            index += 1
            return members
        }
        while true {
            guard peek() == UInt8(ascii: "\"") else { throw fault("the name of a member is missing") }
            let start = index
            let name = try string()
            try separateName()
            let valueStart = index
            let kind = try skipValue(depth: 1)
            if wanted.map({ $0.utf8.elementsEqual(name.utf8) }) ?? true {
                members.append(Member(name: name, kind: kind, value: valueStart..<index, whole: start..<index))
            }
            guard try continues(until: UInt8(ascii: "}")) else { return members }
        }
    }

    private mutating func arrayOfStrings() throws(Fault) -> [String]? {
        try enter(0)
        var strings: [String] = []
        var allStrings = true
        guard peek() != UInt8(ascii: "]") else {
            index += 1
            return strings
        }
        while true {
            if peek() == UInt8(ascii: "\"") {
                strings.append(try string())
            } else {
                allStrings = false
                _ = try skipValue(depth: 1)
            }
            guard try continues(until: UInt8(ascii: "]")) else { return allStrings ? strings : nil }
        }
    }

    private mutating func node(depth: Int) throws(Fault) -> JSONNode {
        switch peek() {
        case UInt8(ascii: "{"): return .object(try nodeMembers(depth: depth))
        case UInt8(ascii: "["): return .array(try nodeElements(depth: depth))
        case UInt8(ascii: "\""): return .string(try string())
        default:
            let start = index
            let kind = try skipValue(depth: depth)
            let text = String(decoding: bytes[start..<index], as: UTF8.self)
            switch kind {
            case .number: return .number(text)
            case .boolean: return .boolean(text == "true")
            default: return .null
            }
        }
    }

    private mutating func nodeMembers(depth: Int) throws(Fault) -> [JSONNode.Member] {
        try enter(depth)
        var members: [JSONNode.Member] = []
        guard peek() != UInt8(ascii: "}") else {
            index += 1
            return members
        }
        repeat {
            guard peek() == UInt8(ascii: "\"") else { throw fault("the name of a member is missing") }
            let name = try string()
            try separateName()
            members.append(JSONNode.Member(name, try node(depth: depth + 1)))
        } while try continues(until: UInt8(ascii: "}"))
        return members
    }

    private mutating func nodeElements(depth: Int) throws(Fault) -> [JSONNode] {
        try enter(depth)
        var elements: [JSONNode] = []
        guard peek() != UInt8(ascii: "]") else {
            index += 1
            return elements
        }
        repeat { elements.append(try node(depth: depth + 1)) } while try continues(until: UInt8(ascii: "]"))
        return elements
    }

    private mutating func enter(_ depth: Int) throws(Fault) {
        guard depth < maximumDepth else { throw fault("it is nested deeper than \(maximumDepth) levels") }
        index += 1
        skipWhiteSpace()
    }

    private mutating func separateName() throws(Fault) {
        skipWhiteSpace()
        try expect(UInt8(ascii: ":"), "a colon is missing after a member's name")
        skipWhiteSpace()
    }

    /// Whether another element follows; moves past the comma or the closing bracket.
    private mutating func continues(until close: UInt8) throws(Fault) -> Bool {
        skipWhiteSpace()
        if peek() == close {
            index += 1
            return false
        }
        try expect(UInt8(ascii: ","), "a comma or a closing bracket is missing")
        skipWhiteSpace()
        return true
    }

    private mutating func skipWord(_ word: StaticString) throws(Fault) {
        for offset in 0..<word.utf8CodeUnitCount {
            try expect(word.utf8Start[offset], "this is no JSON value")
        }
    }

    private mutating func skipNumber() throws(Fault) {
        if peek() == UInt8(ascii: "-") { index += 1 }
        if peek() == UInt8(ascii: "0") {
            index += 1
        } else {
            try skipDigits("this is no JSON value")
        }
        if peek() == UInt8(ascii: ".") {
            index += 1
            try skipDigits("a digit is missing after the decimal point")
        }
        if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
            index += 1
            if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { index += 1 }
            try skipDigits("a digit is missing in the exponent")
        }
    }

    private mutating func skipDigits(_ message: String) throws(Fault) {
        let start = index
        while let byte = peek(), (0x30...0x39).contains(byte) { index += 1 }
        guard index > start else { throw fault(message) }
    }
}

// MARK: - Strings

extension JSONScanner {
    /// Moves past a string; whether it has escapes.
    private mutating func skipString() throws(Fault) -> Bool {
        index += 1
        var hasEscapes = false
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: "\""):
                index += 1
                return hasEscapes
            case UInt8(ascii: "\\"):
                hasEscapes = true
                index += 1
                _ = try escapedScalar()
            case 0..<0x20:
                throw fault("a control character stands in a string without an escape")
            default:
                index += 1
            }
        }
        throw fault("a string has no end")
    }

    private mutating func string() throws(Fault) -> String {
        let start = index + 1
        guard try skipString() else {
            return String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<(index - 1)]), as: UTF8.self)
        }
        let end = index - 1
        var text: [UInt8] = []
        text.reserveCapacity(end - start)
        index = start
        while index < end {
            let byte = bytes[index]
            index += 1
            if byte == UInt8(ascii: "\\") {
                text.append(contentsOf: UTF8.encode(try escapedScalar()) ?? UTF8.encodedReplacementCharacter)
            } else {
                text.append(byte)
            }
        }
        index = end + 1
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads what follows a backslash. Half of a surrogate pair is no character, and so no text.
    private mutating func escapedScalar() throws(Fault) -> Unicode.Scalar {
        guard let byte = peek() else { throw fault("a string has no end") }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            let unit = try fourHexDigits()
            if let scalar = Unicode.Scalar(unit) { return scalar }
            guard UTF16.isLeadSurrogate(UInt16(unit)), peek() == UInt8(ascii: "\\") else {
                throw fault("half of a surrogate pair stands alone")
            }
            index += 1
            try expect(UInt8(ascii: "u"), "half of a surrogate pair stands alone")
            let trail = try fourHexDigits()
            let combined = 0x10000 + ((unit & 0x3FF) << 10) + (trail & 0x3FF)
            guard UTF16.isTrailSurrogate(UInt16(trail)), let scalar = Unicode.Scalar(combined) else {
                throw fault("half of a surrogate pair stands alone")
            }
            return scalar
        default:
            throw fault("this escape is unknown")
        }
    }

    private mutating func fourHexDigits() throws(Fault) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw fault("four hexadecimal digits follow \\u")
            }
            value = value << 4 | UInt32(digit)
            index += 1
        }
        return value
    }
}
