/// One element of the header `Sec-WebSocket-Extensions` (RFC 6455 §9.1): an extension and its parameters, as they were
/// written.
struct WebSocketExtension: Equatable {
    /// One parameter, with or without a value.
    struct Parameter: Equatable {
        let name: String
        let value: String?
    }

    let name: String
    var parameters: [Parameter] = []

    /// The most bytes that are read. What programs offer has less than a hundred.
    static let maximumBytes = 4096

    /// Reads the header.
    ///
    /// - Parameter values: Its values in the order of the lines: several lines are one list (RFC 6455 §11.3.2).
    /// - Throws: ``ExtensionNegotiationError`` where the grammar is broken. The connection has to be failed then (§9.1).
    static func parse(_ values: [String]) throws(ExtensionNegotiationError) -> [WebSocketExtension] {
        guard !values.isEmpty else { return [] }
        let bytes = Array(values.joined(separator: ",").utf8)
        guard bytes.count <= maximumBytes else {
            throw ExtensionNegotiationError("it has more than \(maximumBytes) bytes")
        }
        var scanner = ExtensionScanner(bytes)
        return try scanner.list()
    }
}

/// Reads the grammar of RFC 6455 §9.1 with the rules that it takes from RFC 2616 §2.1: white space may stand around
/// every separator, and a list may have empty elements.
private struct ExtensionScanner {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) {
        rest = bytes[...]
    }

    mutating func list() throws(ExtensionNegotiationError) -> [WebSocketExtension] {
        var extensions: [WebSocketExtension] = []
        repeat {
            skipWhiteSpace()
            guard let next = rest.first, next != UInt8(ascii: ",") else { continue }
            extensions.append(try element())
        } while take(",")
        guard rest.isEmpty else { throw ExtensionNegotiationError("something stands behind a parameter") }
        guard !extensions.isEmpty else { throw ExtensionNegotiationError("it names no extension") }
        return extensions
    }

    private mutating func element() throws(ExtensionNegotiationError) -> WebSocketExtension {
        var element = WebSocketExtension(name: try token("an extension"))
        while take(";") {
            let name = try token("a parameter")
            element.parameters.append(.init(name: name, value: take("=") ? try value() : nil))
        }
        return element
    }

    private mutating func value() throws(ExtensionNegotiationError) -> String {
        skipWhiteSpace()
        guard rest.first == UInt8(ascii: "\"") else { return try token("a value") }
        var inner = ExtensionScanner(try quoted())
        let value = try inner.token("a quoted value")
        guard inner.rest.isEmpty else { throw ExtensionNegotiationError("a quoted value is no token") }
        return value
    }

    /// What stands between quotation marks, without its escapes. The grammar wants a token even so, which the caller
    /// checks.
    private mutating func quoted() throws(ExtensionNegotiationError) -> [UInt8] {
        rest.removeFirst()
        var content: [UInt8] = []
        while var byte = rest.popFirst() {
            if byte == UInt8(ascii: "\"") { return content }
            if byte == UInt8(ascii: "\\") {
                guard let escaped = rest.popFirst() else { break }
                byte = escaped
            }
            content.append(byte)
        }
        throw ExtensionNegotiationError("a quotation does not end")
    }

    private mutating func token(_ role: StaticString) throws(ExtensionNegotiationError) -> String {
        skipWhiteSpace()
        let token = rest.prefix(while: Self.isTokenByte)
        guard !token.isEmpty else { throw ExtensionNegotiationError("\(role) is missing or has a forbidden character") }
        rest = rest.dropFirst(token.count)
        return String(decoding: token, as: UTF8.self)
    }

    private mutating func take(_ separator: Unicode.Scalar) -> Bool {
        skipWhiteSpace()
        guard rest.first == UInt8(ascii: separator) else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func skipWhiteSpace() {
        rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
