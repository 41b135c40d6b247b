import AsyncHTTPClient
import FoundationEssentials
import Logging
import NIOCore
import NIOHTTP1
import Synchronization
import TidingsBroadcast

/// The keys that tokens are checked with now, loaded again when they may have been replaced.
///
/// Keys that are there go on being used while newer ones are loaded, and when loading fails. One load runs at a time; the
/// others wait for it only if they have no key to go on with.
final class KeyRing: Sendable {
    /// When keys are loaded again.
    struct Limits: Sendable {
        /// Age from which the next token has them loaded again.
        var refreshInterval: Duration
        /// Time between two loads because of a token that names an unknown key: anybody can make up a name.
        var minimumInterval: Duration
    }

    private struct State {
        var keys: [VerificationKey] = []
        var attemptedAt: Date?
        var isLoading = false

        var isAwaitingFirst: Bool { keys.isEmpty && isLoading }
    }

    private let source: JWTKeys.Source
    private let limits: Limits
    private let now: @Sendable () -> Date
    private let logger: Logger
    private let state = Mutex(State())
    /// That nobody loads.
    private let idleness = AsyncCondition()

    /// Loads keys that are at hand; those behind a URL come with the first token.
    init(_ keys: JWTKeys, limits: Limits, now: @escaping @Sendable () -> Date, logger: Logger) async throws {
        source = keys.source
        self.limits = limits
        self.now = now
        self.logger = logger
        if case .url(let url, _) = source {
            try KeySource.check(url)
        } else {
            try await load()
        }
    }

    /// The keys that fit a token's header.
    ///
    /// - Throws: ``JWTKeysError`` if there are no keys at all yet.
    func keys(for algorithm: SigningAlgorithm, identifier: String?) async throws -> [VerificationKey] {
        if state.withLock({ isOlder(than: limits.refreshInterval, $0) || $0.isAwaitingFirst }) { await refresh() }
        let known = state.withLock { $0.keys }
        guard !known.isEmpty else { throw JWTKeysError(.unreadable, "The keys cannot be had at the moment.") }
        let fitting = known.filter { $0.fits(algorithm, identifier: identifier) }
        guard fitting.isEmpty, state.withLock({ isOlder(than: limits.minimumInterval, $0) || $0.isLoading }) else {
            return fitting
        }
        await refresh(waiting: true)
        return state.withLock { $0.keys }.filter { $0.fits(algorithm, identifier: identifier) }
    }

    private var isReloadable: Bool {
        switch source {
        case .secret, .publicKey, .set: false
        case .file, .url: true
        }
    }

    private func isOlder(than age: Duration, _ state: State) -> Bool {
        guard isReloadable else { return false }
        guard let attemptedAt = state.attemptedAt else { return true }
        // With no keys at all every token asks for them, but not more often than this.
        let age = state.keys.isEmpty ? Swift.min(limits.minimumInterval, .seconds(1)) : age
        return now().timeIntervalSince(attemptedAt) >= age / .seconds(1)
    }

    /// Loads, unless somebody does already. Whoever has keys does not wait for that, unless it says so.
    private func refresh(waiting: Bool = false) async {
        let isMine = state.withLock { state in
            if state.isLoading { return false }
            state.isLoading = true
            return true
        }
        guard isMine else {
            guard waiting || state.withLock({ $0.keys.isEmpty }) else { return }
            return await idleness.wait { self.state.withLock { !$0.isLoading } }
        }
        defer { loadEnded() }
        do {
            try await load()
        } catch {
            logger.warning("keys for tokens could not be loaded", metadata: ["error": "\(error)"])
        }
    }

    private func load() async throws {
        state.withLock { $0.attemptedAt = now() }
        let keys = try await KeySource.load(source)
        state.withLock { $0.keys = keys }
    }

    private func loadEnded() {
        state.withLock { $0.isLoading = false }
        idleness.changed()
    }
}

/// Reads keys from where they are.
enum KeySource {
    private static let maximumBytes = 1024 * 1024
    private static let timeout: TimeAmount = .seconds(10)

    static func load(_ source: JWTKeys.Source) async throws -> [VerificationKey] {
        switch source {
        case .secret(let secret): [try await .secret(secret)]
        case .publicKey(let pem, let algorithm): [try await .publicKey(pem: pem, algorithm)]
        case .set(let json): try await VerificationKey.set(Array(json.utf8))
        case .file(let path): try await VerificationKey.set(try read(path))
        case .url(let url, let client): try await VerificationKey.set(try await fetch(url, client))
        }
    }

    /// Refuses a URL over which anybody on the way could put keys in.
    static func check(_ url: String) throws {
        let components = URLComponents(string: url)
        let isLocal = ["localhost", "127.0.0.1", "[::1]", "::1"].contains(components?.host ?? "")
        switch components?.scheme?.lowercased() {
        case "https": return
        case "http" where isLocal: return
        case "http": throw JWTKeysError(.unusable, "Keys come over https; plain http is for this machine only.")
        default: throw JWTKeysError(.unusable, "The keys' URL is no https URL.")
        }
    }

    private static func read(_ path: String) throws -> [UInt8] {
        do {
            let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
            guard size <= maximumBytes else {
                throw JWTKeysError(.unreadable, "\(path) has more than \(maximumBytes) bytes: this is no set of keys.")
            }
            return Array(try Data(contentsOf: URL(filePath: path)))
        } catch let error as JWTKeysError {
            throw error
        } catch {
            throw JWTKeysError(.unreadable, "\(path) cannot be read.", cause: error)
        }
    }

    private static func fetch(_ url: String, _ client: HTTPClient) async throws -> [UInt8] {
        do {
            let response = try await client.execute(HTTPClientRequest(url: url), timeout: timeout)
            // A redirect must not lead off the safe path.
            for step in response.history.dropFirst() { try check(step.request.url) }
            guard response.status == .ok else {
                throw JWTKeysError(.unreadable, "The keys' URL answers \(response.status.code).")
            }
            return Array(try await response.body.collect(upTo: maximumBytes).readableBytesView)
        } catch let error as JWTKeysError {
            throw error
        } catch {
            throw JWTKeysError(.unreadable, "The keys' URL does not answer as it should.", cause: error)
        }
    }
}
