import Foundation
import Hummingbird
import Logging
import NIOCore
import NIOSSL
import TidingsBroadcast
import TidingsHummingbird
import TidingsRedis

// MARK: - The hub

extension BroadcastServer {
    func makeHub() async throws -> BroadcastHub {
        var configuration = BroadcastHub.Configuration()
        setLimits(of: &configuration)
        configuration.authenticator = try await makeAuthenticator()
        configuration.policy = ChannelPolicy(
            publicChannels: values[ServeSettings.publicChannels],
            publishableChannels: values[ServeSettings.publishableChannels]
        )
        configuration.delivery = delivery
        let limits = InMemoryEventLog.Limits(
            eventsPerChannel: values[ServeSettings.historyEvents] ?? InMemoryEventLog.Limits().eventsPerChannel,
            age: values[ServeSettings.historyAge],
            bytes: values[ServeSettings.historyBytes]
        )
        return BroadcastHub(configuration: configuration, log: InMemoryEventLog(limits: limits), logger: logger)
    }

    private func setLimits(of configuration: inout BroadcastHub.Configuration) {
        configuration.connections = values[ServeSettings.connections]
        configuration.connectionsPerSubject = values[ServeSettings.connectionsPerSubject]
        configuration.channelsPerSession = values[ServeSettings.channelsPerConnection]
        configuration.payloadBytes = values[ServeSettings.payloadBytes]
        configuration.clientMessageBytes = values[ServeSettings.messageBytes]
        configuration.pendingBytesPerSession = values[ServeSettings.pendingBytes]
        configuration.clientMessagesPerSecond = values[ServeSettings.messagesPerSecond]
        configuration.clientMessageBurst = values[ServeSettings.messageBurst]
        configuration.heartbeatInterval = values[ServeSettings.heartbeatInterval]
        configuration.heartbeatTimeout = values[ServeSettings.heartbeatTimeout]
        configuration.drainWindow = values[ServeSettings.drainWindow]
        configuration.compressesMessages = values[ServeSettings.compression]
    }

    private var delivery: @Sendable (ChannelName) -> ChannelDelivery {
        let (streams, snapshots) = (values[ServeSettings.streams], values[ServeSettings.snapshots])
        return { channel in
            if streams.contains(where: { $0.matches(channel) }) { return .stream }
            return snapshots.contains { $0.matches(channel) } ? .snapshot : .signal
        }
    }
}

// MARK: - Who may come

extension BroadcastServer {
    private func makeAuthenticator() async throws -> JWTAuthenticator? {
        guard let keys = try makeKeys() else { return nil }
        var configuration = JWTAuthenticator.Configuration(
            issuer: values[ServeSettings.issuer],
            audience: values[ServeSettings.audience]
        )
        configuration.logger = logger
        do {
            return try await JWTAuthenticator(keys: keys, configuration: configuration)
        } catch let error as JWTKeysError {
            throw ServeError(.badKeys, "authentication: \(error.message)", cause: error)
        }
    }

    private func makeKeys() throws -> JWTKeys? {
        if let secret = values[ServeSettings.tokenSecret] { return .secret(secret) }
        if let path = values[ServeSettings.publicKey] {
            let algorithm = SigningAlgorithm(rawValue: values[ServeSettings.keyAlgorithm].rawValue) ?? .es256
            let data = FileManager.default.contents(atPath: path) ?? Data()
            return .publicKey(pem: String(decoding: data, as: UTF8.self), algorithm)
        }
        return values[ServeSettings.keySet].map { $0.contains("://") ? .url($0) : .file($0) }
    }

    func makeEndpoints() throws -> BroadcastEndpoints {
        var endpoints = BroadcastEndpoints()
        endpoints.console = try values[ServeSettings.consoleSecret].map { try TidingsHummingbird.Console(secret: $0) }
        endpoints.publishing.eventsPerSecond = values[ServeSettings.publishesPerSecond]
        endpoints.publishing.eventBurst = values[ServeSettings.publishBurst]
        endpoints.operatorSecret = values[ServeSettings.operatorSecret]
        endpoints.tokenCookie = values[ServeSettings.cookie]
        endpoints.allowedOrigins =
            switch values[ServeSettings.origins] {
            case .sameHost: .sameHost
            case .any: .any
            case .list(let origins): AllowedOrigins(origins)
            }
        return endpoints
    }
}

// MARK: - Where

extension BroadcastServer {
    func makeRedis() throws -> RedisBroadcastBackend? {
        guard values[ServeSettings.backend] == .redis, let url = values[ServeSettings.redisURL] else { return nil }
        var configuration = try RedisConfiguration(url: url)
        configuration.prefix = values[ServeSettings.redisPrefix]
        configuration.historyAge = values[ServeSettings.historyAge]
        configuration.payloadBytes = values[ServeSettings.payloadBytes]
        if let events = values[ServeSettings.historyEvents] { configuration.historyLength = events }
        let patience = values[ServeSettings.redisPatience]
        if patience > .zero { configuration.whileAway = .waits(upTo: patience) }
        do {
            return try RedisBroadcastBackend(configuration, logger: logger)
        } catch {
            throw SettingsErrors(errors: [SettingsError(.badValue, "redis: \(error.message)")])
        }
    }

    func makeTLS() throws -> TLSConfiguration? {
        guard let certificate = values[ServeSettings.certificate], let key = values[ServeSettings.privateKey] else {
            return nil
        }
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(certificate).map { NIOSSLCertificateSource.certificate($0) }
            let key = try NIOSSLPrivateKey(file: key, format: .pem)
            let tls = TLSConfiguration.makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key))
            // Whether the two belong together is seen when they are used.
            _ = try NIOSSLContext(configuration: tls)
            return tls
        } catch {
            throw ServeError(
                .badCertificate,
                "tls: certificate and key cannot be used: both have to be PEM, and belong together.",
                cause: error
            )
        }
    }

    var address: BindAddress {
        .hostname(values[ServeSettings.host], port: values[ServeSettings.port])
    }

    func announce(_ channel: any Channel, isSecure: Bool) {
        let host = channel.localAddress?.ipAddress ?? values[ServeSettings.host]
        let name = host.contains(":") ? "[\(host)]" : host
        let port = channel.localAddress?.port ?? values[ServeSettings.port]
        Console.print("listening on \(isSecure ? "wss" : "ws")://\(name):\(port)/ws/broadcast")
    }

    func cannotListen(_ error: any Error) -> ServeError {
        ServeError(
            .cannotListen,
            "cannot listen on \(values[ServeSettings.host]):\(values[ServeSettings.port]) (\(error)); "
                + "look at host and port, and whether another program has them.",
            cause: error
        )
    }
}
