import FoundationEssentials
import JWTKit
import TidingsBroadcast
import TidingsWire

/// What a token says (RFC 7519 §4), as its fields.
struct TokenClaims: JWTPayload {
    private let fields: [String: JWTHeaderField]

    init(from decoder: any Decoder) throws {
        fields = try decoder.singleValueContainer().decode([String: JWTHeaderField].self)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(fields)
    }

    /// Nothing: ``JWTAuthenticator`` looks at every claim itself.
    func verify(using algorithm: some JWTAlgorithm) {}
}

extension TokenClaims {
    func string(_ name: String) -> String? { fields[name]?.asString }

    func has(_ name: String) -> Bool {
        switch fields[name] {
        case nil, .null: false
        default: true
        }
    }

    /// A `NumericDate`: seconds since 1970, whole or not (RFC 7519 §2).
    func date(_ name: String) -> Date? {
        switch fields[name] {
        case .int(let seconds): Date(timeIntervalSince1970: Double(seconds))
        case .decimal(let seconds): Date(timeIntervalSince1970: seconds)
        default: nil
        }
    }

    /// One string or several.
    func strings(_ name: String) -> [String]? {
        switch fields[name] {
        case .string(let string): [string]
        case .array(let values):
            values.allSatisfy { $0.asString != nil } ? values.compactMap(\.asString) : nil
        default: nil
        }
    }

    /// Patterns of channels; nil if there is no such claim.
    func patterns(_ name: String) throws(AuthenticationError) -> [ChannelPattern]? {
        guard has(name) else { return nil }
        guard let patterns = strings(name)?.map({ try? ChannelPattern($0) }), !patterns.contains(nil) else {
            throw AuthenticationError(.invalid, "The token's \"\(name)\" is no array of patterns for channels.")
        }
        return patterns.compactMap { $0 }
    }

    /// A claim of one value as text.
    func text(_ name: String) -> String? {
        switch fields[name] {
        case .string(let string): string
        case .int(let number): String(number)
        case .bool(let truth): String(truth)
        default: nil
        }
    }
}
