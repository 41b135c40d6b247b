import FoundationEssentials
import JWTKit

/// A key that checks the signatures of tokens, bound to one algorithm: a token does not get to choose what its signature
/// is checked with (RFC 8725 §3.1).
struct VerificationKey: Sendable {
    let algorithm: SigningAlgorithm
    /// What tokens call it; nil if they need not.
    let identifier: String?
    let verifier: any JWTAlgorithm

    /// Whether the signature under the text was made with this key's counterpart.
    func verifies(_ signature: some DataProtocol, of text: some DataProtocol) -> Bool {
        // A signature that is none at all throws.
        (try? verifier.verify(signature, signs: text)) ?? false
    }

    /// Whether it is meant for a token with this header.
    func fits(_ algorithm: SigningAlgorithm, identifier: String?) -> Bool {
        guard self.algorithm == algorithm else { return false }
        guard let own = self.identifier, let identifier else { return true }
        return own == identifier
    }
}

// MARK: - Reading keys

extension VerificationKey {
    /// A secret for HS256.
    static func secret(_ secret: [UInt8]) async throws -> VerificationKey {
        guard secret.count >= 32 else {
            throw JWTKeysError(.unusable, "A secret for HS256 has at least 32 bytes; this one has \(secret.count).")
        }
        let keys = JWTKeyCollection()
        await keys.add(hmac: HMACKey(from: secret), digestAlgorithm: .sha256)
        return VerificationKey(algorithm: .hs256, identifier: nil, verifier: try await keys.getKey())
    }

    /// A public key as PEM.
    static func publicKey(pem: String, _ algorithm: SigningAlgorithm) async throws -> VerificationKey {
        let keys = JWTKeyCollection()
        do {
            switch algorithm {
            case .rs256: await keys.add(rsa: try Insecure.RSA.PublicKey(pem: pem), digestAlgorithm: .sha256)
            case .es256: await keys.add(ecdsa: try ES256PublicKey(pem: pem))
            case .edDSA: await keys.add(eddsa: try EdDSA.PublicKey(pem: pem))
            default: throw JWTKeysError(.unusable, "HS256 has a secret, not a public key.")
            }
        } catch let error as JWTKeysError {
            throw error
        } catch {
            throw JWTKeysError(.unusable, "This is no public key for \(algorithm.rawValue) as PEM.", cause: error)
        }
        return VerificationKey(algorithm: algorithm, identifier: nil, verifier: try await keys.getKey())
    }

    /// The keys of a set that are meant for signatures with a known algorithm; the others are skipped.
    static func set(_ json: some DataProtocol) async throws -> [VerificationKey] {
        let set: KeySet
        do {
            set = try JSONDecoder().decode(KeySet.self, from: Data(json))
        } catch {
            throw JWTKeysError(.unusable, #"A set of keys is a JSON object with an array "keys" (RFC 7517 §5)."#)
        }
        var keys: [VerificationKey] = []
        for entry in set.keys.prefix(KeySet.maximumKeys) {
            if let key = try? await entry.verificationKey { keys.append(key) }
        }
        guard !keys.isEmpty else {
            throw JWTKeysError(.unusable, "The set has no key for RS256, ES256 or EdDSA that checks signatures.")
        }
        return keys
    }
}

/// A set of keys of which each is read on its own: one of a kind that is not known here does not spoil the others.
private struct KeySet: Decodable {
    /// More keys than any server rotates between; the rest is skipped.
    static let maximumKeys = 64

    let keys: [Entry]

    struct Entry: Decodable {
        private struct Purpose: Decodable {
            let use: String?
            let crv: String?
        }

        private let purpose: Purpose
        private let key: JWK?

        init(from decoder: any Decoder) throws {
            purpose = (try? Purpose(from: decoder)) ?? Purpose(use: nil, crv: nil)
            key = try? JWK(from: decoder)
        }

        /// The key, bound to the algorithm that it names or that its kind has here.
        var verificationKey: VerificationKey? {
            get async throws {
                guard var key, purpose.use ?? "sig" == "sig", let algorithm else { return nil }
                let identifier = key.keyIdentifier?.string
                key.algorithm = JWK.Algorithm(rawValue: algorithm.rawValue)
                // A private key does not belong there. Its public part is enough.
                key.privateExponent = nil
                key.keyIdentifier = key.keyIdentifier ?? JWKIdentifier(string: "")
                let keys = JWTKeyCollection()
                try await keys.add(jwk: key)
                let verifier = try await keys.getKey(alg: algorithm.rawValue)
                return VerificationKey(algorithm: algorithm, identifier: identifier, verifier: verifier)
            }
        }

        private var algorithm: SigningAlgorithm? {
            guard let key else { return nil }
            let ofKind: SigningAlgorithm? =
                switch (key.keyType.rawValue, purpose.crv) {
                case ("RSA", _): .rs256
                case ("EC", "P-256"): .es256
                case ("OKP", "Ed25519"): .edDSA
                default: nil
                }
            guard let named = key.algorithm else { return ofKind }
            return named.rawValue == ofKind?.rawValue ? ofKind : nil
        }
    }
}
