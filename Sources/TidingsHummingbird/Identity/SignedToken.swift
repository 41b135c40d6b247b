import FoundationEssentials
import TidingsBroadcast
import TidingsWire

/// A JSON Web Token in its compact form (RFC 7515 §7.1), taken apart and not yet trusted.
///
/// Reading never traps, whatever is in it: everybody can send one.
struct SignedToken {
    /// The algorithm that the token claims to be signed with; nil if it is none that is known.
    let algorithm: SigningAlgorithm?
    /// The key that it claims to be signed with.
    let keyIdentifier: String?
    /// Whether the header has extensions that have to be understood (§4.1.11).
    let hasCriticalExtensions: Bool
    let claims: TokenClaims
    /// What is signed.
    let text: ArraySlice<UInt8>
    let signature: Data

    /// Takes a token apart; nil if it is none.
    init?(_ token: String) {
        let bytes = Array(token.utf8)
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Self.object(parts[0]), let claims = Self.object(parts[1]),
            let signature = Self.decoded(parts[2])
        else { return nil }
        algorithm = header["alg"]?.string.flatMap(SigningAlgorithm.init)
        keyIdentifier = header["kid"]?.string
        hasCriticalExtensions = header["crit"] != nil
        self.claims = TokenClaims(claims)
        text = bytes[..<parts[1].endIndex]
        self.signature = signature
    }

    private static func object(_ part: ArraySlice<UInt8>) -> [String: ClaimValue]? {
        decoded(part).flatMap { try? JSONDecoder().decode([String: ClaimValue].self, from: $0) }
    }

    /// Base64 with the alphabet for URLs and without padding (RFC 7515 §2).
    private static func decoded(_ part: ArraySlice<UInt8>) -> Data? {
        var base64 = Data(capacity: part.count + 3)
        for byte in part {
            switch byte {
            case UInt8(ascii: "-"): base64.append(UInt8(ascii: "+"))
            case UInt8(ascii: "_"): base64.append(UInt8(ascii: "/"))
            case UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="): return nil
            default: base64.append(byte)
            }
        }
        base64.append(contentsOf: repeatElement(UInt8(ascii: "="), count: (4 - part.count % 4) % 4))
        return Data(base64Encoded: base64)
    }
}

/// One value of a token's header or claims.
enum ClaimValue: Decodable {
    case string(String)
    case number(Double)
    case boolean(Bool)
    case array([ClaimValue])
    /// Null, an object, or a number that no `Double` can hold.
    case other

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let string = try? container.decode(String.self) {
            self = .string(string)
        } else if let boolean = try? container.decode(Bool.self) {
            self = .boolean(boolean)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let array = try? container.decode([ClaimValue].self) {
            self = .array(array)
        } else {
            self = .other
        }
    }

    var string: String? {
        guard case .string(let string) = self else { return nil }
        return string
    }
}
