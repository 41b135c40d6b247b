/// Writes one JSON object, member by member and in the order in which they are given.
struct JSONObjectWriter {
    private var bytes: [UInt8] = []
    private var isFirst = true

    private init() {}

    /// Writes an object.
    ///
    /// - Parameters:
    ///   - capacity: About how many bytes it will have.
    ///   - body: Writes the members.
    static func write(capacity: Int = 0, _ body: (inout JSONObjectWriter) -> Void) -> [UInt8] {
        var writer = JSONObjectWriter()
        writer.bytes.reserveCapacity(capacity)
        writer.enclose(body)
        return writer.bytes
    }

    /// Writes a string.
    mutating func member(_ name: String, _ value: String) {
        begin(name)
        JSONWriter.append(value, to: &bytes)
    }

    /// Writes an integer.
    mutating func member(_ name: String, _ value: Int) {
        begin(name)
        bytes.append(contentsOf: String(value).utf8)
    }

    /// Writes a truth value.
    mutating func member(_ name: String, _ value: Bool) {
        begin(name)
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    /// Writes an array of strings.
    mutating func member(_ name: String, _ values: some Sequence<String>) {
        begin(name)
        JSONWriter.append(values, to: &bytes)
    }

    /// Writes a value that is JSON already.
    mutating func member(_ name: String, json: some Collection<UInt8>) {
        begin(name)
        bytes.append(contentsOf: json)
    }

    /// Writes a name and its value that are JSON already.
    mutating func member(json: some Collection<UInt8>) {
        separate()
        bytes.append(contentsOf: json)
    }

    /// Writes an object.
    mutating func object(_ name: String, _ body: (inout JSONObjectWriter) -> Void) {
        begin(name)
        enclose(body)
    }

    private mutating func enclose(_ body: (inout JSONObjectWriter) -> Void) {
        bytes.append(UInt8(ascii: "{"))
        isFirst = true
        body(&self)
        bytes.append(UInt8(ascii: "}"))
        isFirst = false
    }

    private mutating func begin(_ name: String) {
        separate()
        JSONWriter.append(name, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func separate() {
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        isFirst = false
    }
}
