import Foundation
import JWTKit
import TestSupport
import Testing
import TidingsBroadcast
import TidingsHummingbird

@Suite("Tokens", .timeLimit(.patience))
struct JWTAuthenticatorTests {
    private let date = MovableDate()

    private func authenticator(
        _ keys: JWTKeys = .secret(TokenMaker.secret),
        _ change: (inout JWTAuthenticator.Configuration) -> Void = { _ in }
    ) async throws -> JWTAuthenticator {
        var configuration = JWTAuthenticator.Configuration()
        configuration.now = { [date] in date.now }
        change(&configuration)
        return try await JWTAuthenticator(keys: keys, configuration: configuration)
    }

    private func code(_ authenticator: JWTAuthenticator, _ token: String) async -> AuthenticationError.Code? {
        let refusal = await authenticator.refusal(of: token)
        #expect(token.count < 20 || refusal?.message.contains(token) != true)
        return refusal?.code
    }

    @Test("a good token says who its bearer is and what it may")
    func good() async throws {
        let authenticator = try await authenticator { $0.attributes = ["role", "missing"] }
        let claims = TokenMaker.Claims(channels: ["order", "order:*"], publish: ["bell"], role: "waiter")
        let identity = try await authenticator.identity(of: try await TokenMaker.secret().token(claims, at: date.now))
        #expect(
            identity
                == Identity(
                    subject: "42",
                    expiresAt: date.now.addingTimeInterval(3600),
                    channels: ["order", "order:*"],
                    publishChannels: ["bell"],
                    attributes: ["role": "waiter"]
                )
        )
    }

    @Test("each algorithm, with the key as a secret, as PEM and in a set")
    func algorithms() async throws {
        let (ecdsa, edDSA) = (ES256PrivateKey(), try EdDSA.PrivateKey(curve: .ed25519))
        let rsa = try Insecure.RSA.PrivateKey(pem: TestKeys.rsaPrivateKey)
        let set = try TestKeys.set([TestKeys.jwk(ecdsa, "e"), TestKeys.jwk(edDSA, "d"), TestKeys.rsaJWK("r")])
        let cases: [(TokenMaker, JWTKeys, String)] = [
            (await .ecdsa(ecdsa), .publicKey(pem: ecdsa.publicKey.pemRepresentation, .es256), "e"),
            (await .edDSA(edDSA), .set(try TestKeys.set([TestKeys.jwk(edDSA, nil)])), "d"),
            (await .rsa(rsa), .publicKey(pem: TestKeys.rsaPublicKey, .rs256), "r"),
        ]
        for (maker, keys, identifier) in cases {
            let plain = try await maker.token(at: date.now)
            let named = try await maker.token(at: date.now, header: ["kid": .string(identifier)])
            #expect(await code(try authenticator(keys), plain) == nil, "\(identifier)")
            #expect(await code(try authenticator(.set(set)), named) == nil, "\(identifier)")
            #expect(await code(try authenticator(.set(set)), plain) == nil, "\(identifier)")
            #expect(await code(try authenticator(), plain) == .invalid, "\(identifier)")
        }
    }

    @Test("times count, with a tolerance for clocks that are apart")
    func times() async throws {
        let authenticator = try await authenticator()
        let maker = await TokenMaker.secret()
        let now = date.now.timeIntervalSince1970
        let token = try await maker.token(at: date.now, lasting: 60)
        #expect(await code(authenticator, token) == nil)
        date.advance(by: 64)
        #expect(await code(authenticator, token) == nil)
        date.advance(by: 1)
        #expect(await code(authenticator, token) == .expired)
        let later = try await maker.token(.init(nbf: now + 75), at: date.now)
        #expect(await code(authenticator, later) == .invalid)
        date.advance(by: 5)
        #expect(await code(authenticator, later) == nil)
    }

    @Test("who made a token and for whom counts where it is configured")
    func parties() async throws {
        let authenticator = try await authenticator {
            $0.issuer = "https://id.example.com"
            $0.audience = "orders"
        }
        let maker = await TokenMaker.secret()
        func token(_ issuer: String?, _ audience: [String]?) async throws -> String {
            try await maker.token(.init(iss: issuer, aud: audience), at: date.now)
        }
        let issuer = "https://id.example.com"
        #expect(await code(authenticator, try token(issuer, ["orders"])) == nil)
        #expect(await code(authenticator, try token(issuer, ["bills", "orders"])) == nil)
        #expect(await code(authenticator, try token(issuer, ["bills"])) == .invalid)
        #expect(await code(authenticator, try token(issuer, nil)) == .invalid)
        #expect(await code(authenticator, try token("https://id.example.org", ["orders"])) == .invalid)
        #expect(await code(authenticator, try token(nil, ["orders"])) == .invalid)
    }

    @Test("a token that lacks something or says something impossible is refused")
    func claims() async throws {
        let authenticator = try await authenticator()
        let maker = await TokenMaker.secret()
        #expect(await code(authenticator, try await maker.token(.init(sub: nil), at: date.now)) == .invalid)
        #expect(await code(authenticator, try await maker.token(.init(sub: ""), at: date.now)) == .invalid)
        #expect(await code(authenticator, try await maker.token(.init(channels: ["a b"]), at: date.now)) == .invalid)
        #expect(await code(authenticator, try await maker.token(.init(publish: [""]), at: date.now)) == .invalid)
        for claims in [
            #"{"sub":"42"}"#, #"{"sub":"42","exp":"soon"}"#, #"{"sub":42,"exp":9999999999}"#,
            #"{"sub":"42","exp":9999999999,"channels":{"a":1}}"#, #"{"sub":"42","exp":9999999999,"nbf":"x"}"#,
            #"{"sub":"42","exp":9999999999,"channels":[1]}"#, #"[1]"#, "null", "",
            // Numbers that no integer holds.
            #"{"sub":"42","exp":1e19,"nbf":1e300}"#, #"{"sub":"42","exp":1e400}"#,
            #"{"sub":1e19,"exp":9999999999}"#, #"{"sub":"42","exp":9999999999,"channels":[[1e40]]}"#,
        ] {
            let token = try await TestKeys.sign(header: #"{"alg":"HS256"}"#, claims: claims)
            #expect(await code(authenticator, token) == .invalid, "\(claims)")
        }
        // What is impossible elsewhere in a token is nobody's business.
        let odd = try await TestKeys.sign(
            header: #"{"alg":"HS256","x":1e19,"y":{"z":[1e300,null]}}"#,
            claims: #"{"sub":"1","exp":9999999999,"x":-1e19,"y":[1e40,{"z":1e400}]}"#
        )
        let verdict = await code(authenticator, odd)
        #expect(verdict == nil || verdict == .invalid)
        #expect(
            await code(
                authenticator,
                try await TestKeys.sign(header: #"{"alg":"HS256"}"#, claims: #"{"sub":"1","exp":9999999999}"#)
            ) == nil
        )
    }

    @Test("a token does not choose what it is checked with")
    func confusion() async throws {
        let key = ES256PrivateKey()
        let pem = key.publicKey.pemRepresentation
        let claims = #"{"sub":"42","exp":9999999999}"#
        let elliptic = try await authenticator(.publicKey(pem: pem, .es256))
        let symmetric = try await authenticator()
        // The public key taken for a secret: the classic way in.
        let forged = try await TestKeys.sign(header: #"{"alg":"HS256"}"#, claims: claims, secret: pem)
        #expect(await code(elliptic, forged) == .invalid)
        for header in [
            #"{"alg":"none"}"#, #"{"alg":"None"}"#, #"{"alg":"HS512"}"#, #"{"alg":"hs256"}"#, #"{"alg":""}"#, "{}",
            #"{"alg":null}"#, #"{"alg":7}"#, #"{"alg":["HS256"]}"#, #"{"alg":"HS256","crit":["exp"]}"#,
            #"{"alg":"HS256","crit":[]}"#, #"{"alg":"RS256"}"#, #"[]"#, "", #"{"alg":1e19}"#, #"{"alg":[{"a":-1e40}]}"#,
        ] {
            let token = try await TestKeys.sign(header: header, claims: claims)
            #expect(await code(symmetric, token) == .invalid, "\(header)")
            let unsigned = token.prefix(through: token.lastIndex(of: ".") ?? token.startIndex)
            #expect(await code(symmetric, String(unsigned)) == .invalid, "\(header) unsigned")
        }
        let narrowed = try await authenticator { $0.algorithms = [.es256] }
        #expect(await code(narrowed, try await TestKeys.sign(header: #"{"alg":"HS256"}"#, claims: claims)) == .invalid)
    }

    @Test("whatever is cut off, changed, put in or made huge, no token but the signed one is taken")
    func fuzz() async throws {
        let authenticator = try await authenticator()
        let token = try await TokenMaker.secret().token(.init(channels: ["order"]), at: date.now)
        let bytes = Array(token.utf8)
        for length in 0..<bytes.count {
            #expect(await code(authenticator, String(decoding: bytes.prefix(length), as: UTF8.self)) == .invalid)
        }
        var random = SeededGenerator(seed: 5)
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.= %\u{0}é".utf8)
        for _ in 0..<2000 {
            var changed = bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<changed.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: changed[place] = alphabet.randomElement(using: &random) ?? 0
                case 1: changed.remove(at: place)
                default: changed.insert(alphabet.randomElement(using: &random) ?? 0, at: place)
                }
            }
            // The last character of a part has bits that mean nothing, so some changes leave the bytes as they are.
            let text = String(decoding: changed, as: UTF8.self)
            if TestKeys.isSame(text, token) { continue }
            #expect(await code(authenticator, text) == .invalid, "\(text)")
        }
        for huge in [String(repeating: "a", count: 10_000_000), token + String(repeating: "=", count: 8192)] {
            #expect(await code(authenticator, huge) == .invalid)
        }
        #expect(await code(authenticator, String(repeating: ".", count: 5000)) == .invalid)
        let deep = String(repeating: #"{"a":"#, count: 600) + "1" + String(repeating: "}", count: 600)
        #expect(await code(authenticator, try await TestKeys.sign(header: deep, claims: deep)) == .invalid)
    }

    @Test("keys that cannot be used stop the start and say why")
    func badKeys() async {
        let short = await #expect(throws: JWTKeysError.self) { try await self.authenticator(.secret("too short")) }
        #expect(short?.message.contains("32 bytes") == true)
        for keys: JWTKeys in [
            .publicKey(pem: "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", .es256),
            .publicKey(pem: TestKeys.rsaPublicKey, .es256), .publicKey(pem: TestKeys.rsaPublicKey, .hs256), .set("{}"),
            .set(#"{"keys":[]}"#), .set(#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#), .set("nonsense"),
            .file("/nowhere/keys.json"), .url("http://example.com/keys"), .url("nonsense"),
        ] {
            await #expect(throws: JWTKeysError.self) { try await self.authenticator(keys) }
        }
    }

    @Test("of a set only keys that check signatures with a known algorithm are used")
    func mixedSet() async throws {
        let (used, encrypting) = (ES256PrivateKey(), ES256PrivateKey())
        let set = try TestKeys.set([
            ["kty": "oct", "k": "c2VjcmV0", "kid": "o"],
            ["kty": "EC", "crv": "P-521", "x": "AA", "y": "AA", "kid": "p"],
            TestKeys.jwk(encrypting, "enc").merging(["use": "enc"]) { $1 },
            TestKeys.jwk(used, "sig").merging(["use": "sig"]) { $1 },
        ])
        let authenticator = try await authenticator(.set(set))
        func token(_ key: ES256PrivateKey, _ identifier: String) async throws -> String {
            try await TokenMaker.ecdsa(key).token(at: date.now, header: ["kid": .string(identifier)])
        }
        #expect(await code(authenticator, try token(used, "sig")) == nil)
        #expect(await code(authenticator, try token(encrypting, "enc")) == .invalid)
        // A name that is not in the set is nobody's, whoever signed.
        #expect(await code(authenticator, try token(used, "other")) == .invalid)
    }
}
