import NIOCore

/// One value of RESP, the protocol of Redis (https://redis.io/docs/latest/develop/reference/protocol-spec/), in its
/// second or third version.
///
/// Texts are slices of what arrived. What they hold is nobody's business but the reader's, so a value's description has
/// none of it.
enum RESPValue: Hashable, Sendable {
    /// A simple, bulk or verbatim string, or a big number.
    case text(ByteBuffer)
    /// A string that was longer than strings may be. Its bytes were thrown away as they came.
    case skipped(bytes: Int)
    case integer(Int)
    case double(Double)
    case boolean(Bool)
    /// Nothing, in any of the forms that it has.
    case null
    /// What the server refuses.
    case error(RESPErrorReply)
    /// An array or a set. A map is an array of keys and values in turn.
    case array([RESPValue])
    /// What the server says without having been asked (RESP3).
    case push([RESPValue])
}

extension RESPValue {
    /// The value as text; nil if it is none, or is not UTF-8.
    var string: String? {
        guard case .text(let buffer) = self else { return nil }
        return String(validating: buffer.readableBytesView, as: UTF8.self)
    }

    /// The bytes of a text; nil if it is none.
    var bytes: [UInt8]? {
        guard case .text(let buffer) = self else { return nil }
        return Array(buffer.readableBytesView)
    }

    /// The elements; nil if it has none.
    var elements: [RESPValue]? {
        switch self {
        case .array(let elements), .push(let elements): elements
        default: nil
        }
    }
}

/// What a server refuses, by the first word of what it says.
struct RESPErrorReply: Error, Hashable, Sendable {
    /// The first word, such as `NOAUTH`. Later servers may have others.
    let code: String
    /// All of it. It may have a part of the command in it, so it is for looking things up, not for logs.
    let text: String

    init(_ text: String) {
        self.text = text
        code = String(text.prefix { $0 != " " && $0 != "\r" && $0 != "\n" })
    }
}

extension RESPErrorReply: CustomStringConvertible {
    /// The first word.
    var description: String { code }
}
