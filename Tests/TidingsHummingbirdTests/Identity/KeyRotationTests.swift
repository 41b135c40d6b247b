import Foundation
import Hummingbird
import JWTKit
import Logging
import SocketTestSupport
import Synchronization
import TestSupport
import Testing
import TidingsBroadcast
import TidingsHummingbird

@Suite("Keys that are replaced while a server runs", .timeLimit(.patience))
struct KeyRotationTests {
    /// What a set of keys is made of at this moment, and how often it was asked for.
    private final class Provider: Sendable {
        private let state = Mutex<(json: String?, asked: Int)>((nil, 0))

        var asked: Int { state.withLock { $0.asked } }

        func serve(_ json: String?) { state.withLock { $0.json = json } }

        func take() throws -> String {
            try state.withLock { state in
                state.asked += 1
                guard let json = state.json else { throw HTTPError(.serviceUnavailable) }
                return json
            }
        }
    }

    private let date = MovableDate()
    private let old = ES256PrivateKey()
    private let new = ES256PrivateKey()

    private func token(_ key: ES256PrivateKey, _ identifier: String?) async throws -> String {
        var header = JWTHeader()
        header.kid = identifier
        return try await TokenMaker.ecdsa(key).token(at: date.now, header: header)
    }

    private func set(_ keys: (ES256PrivateKey, String)...) throws -> String {
        try TestKeys.set(keys.map { TestKeys.jwk($0, $1) })
    }

    private func makeAuthenticator(_ keys: JWTKeys) async throws -> JWTAuthenticator {
        var configuration = JWTAuthenticator.Configuration()
        configuration.now = { [date] in date.now }
        configuration.logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return try await JWTAuthenticator(keys: keys, configuration: configuration)
    }

    private func code(_ authenticator: JWTAuthenticator, _ token: String) async -> AuthenticationError.Code? {
        await authenticator.refusal(of: token)?.code
    }

    @Test("a file is read again for a key that is not in it, and from time to time")
    func file() async throws {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let path = folder.file("keys.json")
        try set((old, "old")).write(toFile: path, atomically: true, encoding: .utf8)
        let authenticator = try await makeAuthenticator(.file(path))
        #expect(await code(authenticator, try token(old, "old")) == nil)

        try set((old, "old"), (new, "new")).write(toFile: path, atomically: true, encoding: .utf8)
        // Right after a load nobody asks again: anybody can make up names. Whether it is one is not known yet.
        #expect(await code(authenticator, try token(new, "new")) == .unavailable)
        date.advance(by: 10)
        #expect(await code(authenticator, try token(new, "new")) == nil)

        try set((new, "new")).write(toFile: path, atomically: true, encoding: .utf8)
        date.advance(by: 299)
        #expect(await code(authenticator, try token(old, "old")) == nil)
        date.advance(by: 1)
        // Nobody waits for the load as long as there is a key.
        try await eventually("the old key is gone") { await code(authenticator, try token(old, "old")) != nil }
        date.advance(by: 10)
        #expect(await code(authenticator, try token(old, "old")) == .invalid)
    }

    @Test("a URL that does not answer costs nobody the keys that are known")
    func url() async throws {
        let provider = Provider()
        let router = Router()
        router.get("keys") { _, _ in try provider.take() }
        try await TestServer.run(router: router) { server in
            let authenticator = try await makeAuthenticator(.url("http://127.0.0.1:\(server.port)/keys"))
            #expect(provider.asked == 0)
            #expect(await code(authenticator, try token(old, "old")) == .unavailable)
            #expect(provider.asked == 1)
            // Not again at once: every token would ask.
            #expect(await code(authenticator, try token(old, "old")) == .unavailable)
            #expect(provider.asked == 1)

            provider.serve(try set((old, "old")))
            date.advance(by: 1)
            #expect(await code(authenticator, try token(old, "old")) == nil)
            #expect(provider.asked == 2)

            provider.serve(nil)
            date.advance(by: 300)
            #expect(await code(authenticator, try token(old, "old")) == nil)
            try await eventually("it was asked for again") { provider.asked == 3 }
            // Nobody can say whether there is such a key.
            date.advance(by: 10)
            #expect(await code(authenticator, try token(new, "new")) == .unavailable)

            provider.serve(try set((new, "new")))
            date.advance(by: 10)
            #expect(await code(authenticator, try token(new, "new")) == nil)
            date.advance(by: 10)
            #expect(await code(authenticator, try token(old, "old")) == .invalid)
        }
    }

    @Test("who goes away while keys are loaded takes nobody's keys along")
    func cancelled() async throws {
        let provider = Provider()
        provider.serve(try set((new, "new")))
        let (asked, gate) = (Inbox<Void>(), Inbox<Void>())
        let router = Router()
        router.get("keys") { _, _ in
            asked.put(())
            _ = try await gate.next()
            return try provider.take()
        }
        try await TestServer.run(router: router) { server in
            let authenticator = try await makeAuthenticator(.url("http://127.0.0.1:\(server.port)/keys"))
            let token = try await token(new, "new")
            let leaving = Task { await self.code(authenticator, token) }
            _ = try await asked.next()
            async let staying = code(authenticator, token)
            leaving.cancel()
            #expect(await leaving.value == .unavailable)
            gate.put(())
            #expect(await staying == nil)
            #expect(provider.asked == 1)
        }
    }

    @Test("many tokens with an unknown key at once ask once, and all are answered")
    func together() async throws {
        let provider = Provider()
        provider.serve(try set((old, "old"), (new, "new")))
        let router = Router()
        router.get("keys") { _, _ in try provider.take() }
        try await TestServer.run(router: router) { server in
            let authenticator = try await makeAuthenticator(.url("http://127.0.0.1:\(server.port)/keys"))
            let token = try await token(new, "new")
            let codes = await withTaskGroup(of: AuthenticationError.Code?.self) { group in
                for _ in 0..<50 { group.addTask { await self.code(authenticator, token) } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes == Array(repeating: nil, count: 50))
            #expect(provider.asked == 1)
        }
    }
}
