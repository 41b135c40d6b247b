import AsyncHTTPClient
import FoundationEssentials
import Logging
import NIOCore
import NIOHTTP1
import Synchronization
import TidingsBroadcast

/// The keys that tokens are checked with now, loaded again when they may have been replaced.
///
/// Keys that are there go on being used while newer ones are loaded, and when loading fails. One load runs at a time. It
/// belongs to the ring and not to the token that was the reason for it: a client that goes away takes nobody's keys along.
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
        /// Loads that have ended.
        var loads = 0
        var hasLastFailed = false
    }

    private let source: JWTKeys.Source
    private let limits: Limits
    private let now: @Sendable () -> Date
    private let logger: Logger
    private let state = Mutex(State())
    /// That a load has ended.
    private let end = AsyncCondition()

    /// Loads keys that are at hand; those behind a URL come with the first token.
    init(_ keys: JWTKeys, limits: Limits, now: @escaping @Sendable () -> Date, logger: Logger) async throws {
        source = keys.source
        self.limits = limits
        self.now = now
        self.logger = logger
        if case .url(let url, _) = source {
            try KeySource.check(url)
        } else {
            let keys = try await KeySource.load(source)
            state.withLock {
                $0.keys = keys
                $0.attemptedAt = now()
            }
        }
    }

    /// The keys that fit a token's header.
    ///
    /// Waits for a load only where there is no other way: while there are no keys at all, or none of the token's name.
    ///
    /// - Throws: ``JWTKeysError`` if it cannot be known now which keys fit.
    func keys(for algorithm: SigningAlgorithm, identifier: String?) async throws -> [VerificationKey] {
        if state.withLock({ isOlder(than: limits.refreshInterval, $0) }) { startLoading() }
        if state.withLock({ $0.keys.isEmpty }) { await waitForLoad() }
        let known = state.withLock { $0.keys }
        guard !known.isEmpty else { throw Self.unavailable }
        guard isReloadable, let identifier, !known.contains(where: { $0.identifier == identifier }) else {
            return known.filter { $0.fits(algorithm, identifier: identifier) }
        }
        return try await keysAfterReload(for: algorithm, identifier: identifier)
    }

    /// The keys that fit a token that names a key which was not there. Only a load that went well can say that there is
    /// no such key.
    private func keysAfterReload(
        for algorithm: SigningAlgorithm,
        identifier: String
    ) async throws -> [VerificationKey] {
        if state.withLock({ isOlder(than: limits.minimumInterval, $0) }) { startLoading() }
        guard state.withLock({ $0.isLoading }) else { throw Self.unavailable }
        await waitForLoad()
        let (keys, hasFailed) = state.withLock { ($0.keys, $0.hasLastFailed) }
        let fitting = keys.filter { $0.fits(algorithm, identifier: identifier) }
        guard !fitting.isEmpty || !hasFailed else { throw Self.unavailable }
        return fitting
    }

    private static let unavailable = JWTKeysError(.unreadable, "The keys cannot be had at the moment.")

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

    /// Starts a load, unless one runs. It has a deadline of its own.
    private func startLoading() {
        let isMine = state.withLock { state in
            if state.isLoading { return false }
            state.isLoading = true
            state.attemptedAt = now()
            return true
        }
        if isMine { Task { await load() } }
    }

    private func load() async {
        var loaded: [VerificationKey]?
        do {
            loaded = try await KeySource.load(source)
        } catch {
            logger.warning("keys for tokens could not be loaded", metadata: ["error": "\(error)"])
        }
        state.withLock { state in
            state.keys = loaded ?? state.keys
            state.hasLastFailed = loaded == nil
            state.isLoading = false
            state.loads += 1
        }
        end.changed()
    }

    /// Waits until the load that runs now has ended, not one that follows it.
    private func waitForLoad() async {
        let (isLoading, loads) = state.withLock { ($0.isLoading, $0.loads) }
        guard isLoading else { return }
        await end.wait { self.state.withLock { $0.loads > loads } }
    }
}

/// Reads keys from where they are.
enum KeySource {
    private static let maximumBytes = 1024 * 1024
    private static let timeout: Duration = .seconds(10)

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

    /// Asks, and reads the whole answer, within the time for that: a client's own timeout ends with the answer's head.
    private static func fetch(_ url: String, _ client: HTTPClient) async throws -> [UInt8] {
        try await withThrowingTaskGroup(of: [UInt8].self) { group in
            group.addTask { try await answer(of: url, client) }
            group.addTask {
                try await Task.sleep(for: timeout)
                throw JWTKeysError(.unreadable, "The keys' URL does not answer within \(timeout).")
            }
            defer { group.cancelAll() }
            return try await group.next() ?? []
        }
    }

    private static func answer(of url: String, _ client: HTTPClient) async throws -> [UInt8] {
        do {
            let response = try await client.execute(HTTPClientRequest(url: url), timeout: TimeAmount(timeout))
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
