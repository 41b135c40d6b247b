import Foundation
import Synchronization

/// A proxy on 127.0.0.1 that can stop forwarding, or cut its connections, while both sides go on as if nothing happened.
public final class FreezingProxy: Sendable {
    private struct State {
        var isFrozen = false
        var swallows: [UInt8]?
        var sockets: [Int32] = []
    }

    /// Where it listens.
    public let port: Int
    private let target: Int
    private let listener: Int32
    private let state = Mutex(State())

    /// Begins to forward to a port of 127.0.0.1.
    public init(to target: Int) throws {
        let listener = try Listener()
        port = listener.port
        self.target = target
        self.listener = listener.descriptor
        Thread.detachNewThread { [weak self, descriptor = listener.descriptor] in
            while true {
                let client = accept(descriptor, nil, nil)
                guard client >= 0 else { return }
                guard let self, self.forward(client) else { continue }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
        cut()
    }

    /// Forwards nothing any more, in connections that there are and that come.
    public func freeze() {
        state.withLock { $0.isFrozen = true }
    }

    /// Forwards again what comes from now on.
    public func thaw() {
        state.withLock { $0.isFrozen = false }
    }

    /// Cuts the connection that sends these bytes to the server, after they were forwarded and before anything comes back.
    public func cut(after bytes: String) {
        state.withLock { $0.swallows = Array(bytes.utf8) }
    }

    /// Cuts all connections.
    public func cut() {
        let sockets = state.withLock { state in
            defer { state.sockets = [] }
            return state.sockets
        }
        for socket in sockets { shutdown(socket, Int32(SHUT_RDWR)) }
    }

    private func forward(_ client: Int32) -> Bool {
        let server = Listener.connect(to: target)
        guard server >= 0 else {
            close(client)
            return false
        }
        state.withLock { $0.sockets += [client, server] }
        copy(from: client, to: server, isRequest: true)
        copy(from: server, to: client, isRequest: false)
        return true
    }

    private func copy(from source: Int32, to target: Int32, isRequest: Bool) {
        Thread.detachNewThread { [weak self] in
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = read(source, &buffer, buffer.count)
                guard count > 0, let self else { break }
                let (isFrozen, mark) = self.state.withLock { ($0.isFrozen, $0.swallows) }
                if isFrozen { continue }
                let isLast = isRequest && mark.map { Self.contains(buffer[..<count], $0) } ?? false
                // The answer is not read any more, and so not forwarded.
                if isLast { shutdown(source, Int32(SHUT_RDWR)) }
                buffer.withUnsafeBytes { Listener.send($0.prefix(count), to: target) }
                if isLast { return }
            }
            shutdown(target, Int32(SHUT_RDWR))
        }
    }

    private static func contains(_ bytes: ArraySlice<UInt8>, _ mark: [UInt8]) -> Bool {
        bytes.indices.contains { bytes[$0...].starts(with: mark) }
    }
}
