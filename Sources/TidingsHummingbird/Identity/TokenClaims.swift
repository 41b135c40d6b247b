import FoundationEssentials
import TidingsBroadcast
import TidingsWire

/// What a token says (RFC 7519 §4), as its fields.
struct TokenClaims {
    private let fields: [String: ClaimValue]

    init(_ fields: [String: ClaimValue]) {
        self.fields = fields
    }

    func string(_ name: String) -> String? { fields[name]?.string }

    func has(_ name: String) -> Bool { fields[name] != nil }

    /// A `NumericDate`: seconds since 1970, whole or not (RFC 7519 §2).
    func date(_ name: String) -> Date? {
        guard case .number(let seconds) = fields[name] else { return nil }
        return Date(timeIntervalSince1970: seconds)
    }

    /// One string or several.
    func strings(_ name: String) -> [String]? {
        switch fields[name] {
        case .string(let string): [string]
        case .array(let values): values.allSatisfy { $0.string != nil } ? values.compactMap(\.string) : nil
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
        case .number(let number): Int(exactly: number).map(String.init)
        case .boolean(let truth): String(truth)
        default: nil
        }
    }
}
