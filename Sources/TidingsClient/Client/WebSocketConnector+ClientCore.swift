import NIOCore
import NIOPosix
import TidingsWire

extension WebSocketConnector {
    /// How a client's core opens its sockets.
    func connect(to endpoint: WebSocketEndpoint) -> ClientCore.Connect {
        { core, generation, token in
            let eventLoop = core.eventLoop
            let core = NIOLoopBound(core, eventLoop: eventLoop)
            let opening = connect(
                to: endpoint,
                headers: token.map { [("Authorization", "Bearer \($0)")] } ?? [],
                on: eventLoop,
                heard: { core.value.heard(generation: generation) },
                received: { message in
                    guard case .text(let text) = message else { return }
                    core.value.received(text, generation: generation)
                },
                closed: { code, reason, sender in
                    core.value.ended(.closed(code, reason: reason, by: sender), generation: generation)
                }
            )
            opening.whenComplete { result in
                switch result {
                case .success(let connection): core.value.opened(connection, generation: generation)
                case .failure(let error): core.value.ended(.make(of: error), generation: generation)
                }
            }
        }
    }
}

extension WebSocketConnection: ClientCore.Socket {
    /// A server that chooses nothing speaks the plain dialect.
    var dialect: Dialect {
        subprotocol.flatMap(Dialect.init(subprotocol:)) ?? .plain
    }

    func close() {
        close(.normal, reason: "")
    }
}

extension ConnectionEnd {
    /// Why no connection was made.
    fileprivate static func make(of error: any Error) -> ConnectionEnd {
        if let refusal = error as? HandshakeRefusal {
            return .refused(status: refusal.status, detail: refusal.detail)
        }
        guard let failures = error as? NIOConnectionError else { return .unreachable(error) }
        // Of several addresses the first one's failure tells enough; the whole is a page of text.
        return .unreachable(
            failures.connectionErrors.first?.error ?? failures.dnsAError ?? failures.dnsAAAAError ?? error
        )
    }
}
