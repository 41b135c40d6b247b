#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// What a server says about a request that it refused: `application/problem+json`,
/// [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457).
public struct ProblemDetails: Sendable {
    /// What is wrong with one field.
    public struct FieldError: Hashable, Sendable, Decodable {
        /// Where in the request: a JSON pointer ([RFC 6901](https://www.rfc-editor.org/rfc/rfc6901)).
        public let pointer: String
        /// What is wrong, for programs.
        public let code: String
        /// What is wrong, for people.
        public let message: String
    }

    /// What a server says in another form than expected it does not say.
    private struct Members: Decodable {
        let title: String?
        let detail: String?
        let code: String?
        let errors: [FieldError]?

        enum Name: CodingKey {
            case title, detail, code, errors
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Name.self)
            title = try? container.decode(String.self, forKey: .title)
            detail = try? container.decode(String.self, forKey: .detail)
            code = try? container.decode(String.self, forKey: .code)
            errors = try? container.decode([FieldError].self, forKey: .errors)
        }
    }

    /// What kind of problem it is, for people.
    public let title: String?
    /// What is wrong in this case, for people.
    public let detail: String?
    /// What kind of problem it is, for programs; nil if the server has no codes.
    public let code: String?
    /// What is wrong with which field.
    public let errors: [FieldError]
    private let json: [UInt8]

    /// Reads a problem.
    ///
    /// - Parameter json: The body of an answer.
    /// - Returns: Nil if it is no problem.
    public init?(json: [UInt8]) {
        guard let members = try? JSONDecoder().decode(Members.self, from: Data(json)),
            members.title != nil || members.detail != nil || members.code != nil
        else { return nil }
        (title, detail, code, errors) = (members.title, members.detail, members.code, members.errors ?? [])
        self.json = json
    }

    /// Any other member, such as `current`.
    ///
    /// - Parameters:
    ///   - name: Its name.
    ///   - type: What it is.
    /// - Returns: Nil if it is not there, or is something else.
    public func member<Value: Decodable>(_ name: String, as type: Value.Type) -> Value? {
        try? JSONDecoder.api.decode(Member<Value>.self, from: Data(json)).value(name)
    }
}

/// An object of which one member counts, by a name that is known only when it is asked for.
private struct Member<Value: Decodable>: Decodable {
    private let container: KeyedDecodingContainer<MemberName>

    init(from decoder: any Decoder) throws {
        container = try decoder.container(keyedBy: MemberName.self)
    }

    func value(_ name: String) throws -> Value {
        try container.decode(Value.self, forKey: MemberName(stringValue: name))
    }
}
