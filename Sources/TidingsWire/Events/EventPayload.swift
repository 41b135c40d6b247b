#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// The payload of an event: one JSON object, kept as the bytes it is sent in.
///
/// ```swift
/// let hint: EventPayload = ["entity_id": "42", "version": 7]
/// ```
///
/// Two payloads are equal when their bytes are.
public struct EventPayload: Hashable, Sendable {
    /// The object as UTF-8 JSON (RFC 8259).
    public let json: [UInt8]

    /// The empty object.
    public init() {
        json = Array("{}".utf8)
    }

    /// Checks and takes bytes that arrived from somewhere.
    ///
    /// - Parameter json: UTF-8 JSON. It is kept as it is, white space included.
    /// - Throws: ``WireError``: ``WireError/Code/badJSON`` if it is not JSON in UTF-8, ``WireError/Code/badRequest`` if
    ///   it is JSON but no object.
    public init(json: [UInt8]) throws(WireError) {
        guard json.withUnsafeBytes(UTF8Validator.isValid) else {
            throw WireError(.badJSON, "The payload is not UTF-8.")
        }
        let kind: JSONScanner.Kind
        do throws(JSONScanner.Fault) {
            kind = try JSONScanner.check(json, maximumDepth: WireLimits.payloadDepth)
        } catch {
            throw WireError(.badJSON, "The payload is not JSON: \(error.message) (byte \(error.offset)).")
        }
        guard kind == .object else { throw WireError(.badRequest, "A payload is a JSON object.") }
        self.json = json
    }

    /// Encodes a value that becomes a JSON object.
    ///
    /// - Parameters:
    ///   - value: A structure or dictionary.
    ///   - encoder: How it is encoded.
    /// - Throws: What the encoder throws, or ``WireError`` if the value becomes something other than an object.
    public init(encoding value: some Encodable, encoder: JSONEncoder = JSONEncoder()) throws {
        try self.init(json: Array(try encoder.encode(value)))
    }

    /// Writes named values, in the order of their names.
    ///
    /// - Parameter members: The members of the object.
    public init(_ members: [String: JSONValue]) {
        var bytes: [UInt8] = []
        JSONValue.object(members).append(to: &bytes)
        json = bytes
    }

    /// Takes bytes that were checked already.
    init(uncheckedJSON json: [UInt8]) {
        self.json = json
    }

    /// Decodes the whole payload.
    ///
    /// - Parameters:
    ///   - type: The type to decode.
    ///   - decoder: How it is decoded.
    /// - Throws: `DecodingError` if the payload is not of the type.
    public func decode<Value: Decodable>(_ type: Value.Type, decoder: JSONDecoder = JSONDecoder()) throws -> Value {
        try decoder.decode(type, from: Data(json))
    }

    /// The text of one member; nil if there is none or it is no string. Reads the payload at each call.
    ///
    /// - Parameter name: The name of a member of the payload's object.
    public func string(_ name: String) -> String? {
        guard let member = try? JSONScanner.members(of: json, named: name)?.first, member.kind == .string else {
            return nil
        }
        return try? JSONScanner.string(of: Array(json[member.value]))
    }

    /// The entity that the event is about (`entity_id`); nil if it is about no single one. A whole number counts as its text.
    public var entityID: String? {
        string("entity_id") ?? integer("entity_id").map { String($0) }
    }

    private func integer(_ name: String) -> Int64? {
        guard let member = try? JSONScanner.members(of: json, named: name)?.first, member.kind == .number else {
            return nil
        }
        return Int64(String(decoding: json[member.value], as: UTF8.self))
    }
}

extension EventPayload: ExpressibleByDictionaryLiteral {
    /// Writes the members in their order; of two with one name the receiver takes the later.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        var bytes: [UInt8] = []
        JSONValue.append(elements.map { (key: $0.0, value: $0.1) }, to: &bytes)
        json = bytes
    }
}

extension EventPayload: CustomStringConvertible {
    /// The size. Never the content: descriptions end up in logs.
    public var description: String { "\(json.count) bytes" }
}
