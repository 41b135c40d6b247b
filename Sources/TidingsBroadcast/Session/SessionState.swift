import TidingsWire

/// Where the conversation with one client stands, and what follows from what it says (RFC 6455 §7, the session's
/// dialect). A value: it says what to do, its owner does it.
struct SessionState {
    private(set) var phase = Phase.open
    private let language: SessionLanguage

    init(language: SessionLanguage = .dialect(.plain)) {
        self.language = language
    }

    enum Phase: Equatable {
        /// Messages go both ways. → `closing`, `ending`, `closed`.
        case open
        /// This side sent a close frame and waits for the peer's. What the peer says until then is not acted on, and
        /// nothing more is sent. → `ending`, `closed`.
        case closing
        /// The last frame was sent and the peer's close frame came, or will not count: the transport is being ended.
        /// → `closed`.
        case ending
        /// The transport is gone.
        case closed
    }

    enum Action: Equatable {
        case nothing
        /// Do what the client asks for.
        case perform(ClientMessage)
        /// Tell the client.
        case send(ServerMessage)
        /// Answer a ping.
        case pong([UInt8])
        /// Say the same.
        case echo(WebSocketOpcode, [UInt8])
        /// Send a close frame and wait for the peer's.
        case startClosing(CloseCode, reason: String)
        /// Send a close frame, then end the transport.
        case closeAndEnd(CloseCode, reason: String)
        /// End the transport.
        case end
    }

    mutating func receive(_ message: WebSocketMessage) -> Action {
        switch (phase, message) {
        case (.open, .text(let text)) where language == .echo: .echo(.text, text)
        case (.open, .binary(let bytes)) where language == .echo: .echo(.binary, bytes)
        case (.open, .text(let text)): read(text)
        case (.open, .binary):
            .send(.error(WireError(.badRequest, "Messages are JSON in text frames; this one was binary."), id: nil))
        case (.open, .ping(let payload)): .pong(payload)
        case (.open, .close(let code, _)): closedByPeer(code)
        case (.closing, .close): endedByPeer()
        default: .nothing
        }
    }

    mutating func receive(_ violation: WebSocketViolation) -> Action {
        switch phase {
        case .open:
            phase = .ending
            return .closeAndEnd(violation.code, reason: violation.reason)
        case .closing:
            return endedByPeer()
        case .ending, .closed:
            return .nothing
        }
    }

    mutating func close(_ code: CloseCode, reason: String) -> Action {
        guard phase == .open else { return .nothing }
        phase = .closing
        return .startClosing(code, reason: reason)
    }

    mutating func transportClosed() {
        phase = .closed
    }

    private mutating func closedByPeer(_ code: CloseCode) -> Action {
        phase = .ending
        return .closeAndEnd(code, reason: "")
    }

    private mutating func endedByPeer() -> Action {
        phase = .ending
        return .end
    }

    private func read(_ text: [UInt8]) -> Action {
        do throws(WireError) {
            return .perform(try language.dialect.decodeClientMessage(text))
        } catch {
            return .send(.error(error, id: language.dialect.requestIdentifier(of: text)))
        }
    }
}

/// What is spoken in a session.
enum SessionLanguage: Equatable {
    /// One of the wire's dialects.
    case dialect(Dialect)
    /// Server-sent events: the server alone speaks.
    case eventStream
    /// Every message comes back as it is: for suites that test the WebSocket protocol underneath.
    case echo

    /// The dialect in which the server says what it says of itself.
    var dialect: Dialect {
        guard case .dialect(let dialect) = self else { return .plain }
        return dialect
    }
}
