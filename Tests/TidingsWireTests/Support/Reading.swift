import TidingsWire

/// What a reader made of bytes.
struct Reading: Equatable {
    var messages: [WebSocketMessage] = []
    var violation: WebSocketViolation?
    /// How many bytes had been handed over when the violation was found.
    var bytesUntilViolation: Int?
    var isIdle = true

    /// How the reader was made.
    struct Rules {
        var from: WebSocketReader.Peer
        var limit = 1_048_576
        var allowsCompression = false

        var reader: WebSocketReader {
            WebSocketReader(from: from, maximumMessageBytes: limit, allowsCompression: allowsCompression)
        }
    }

    /// Hands over the pieces until they end or one breaks a rule.
    init(_ pieces: some Sequence<ArraySlice<UInt8>>, by rules: Rules) {
        var reader = rules.reader
        var count = 0
        for piece in pieces {
            count += piece.count
            do {
                try Self.read(piece, with: &reader) { messages.append($0) }
            } catch {
                violation = error
                bytesUntilViolation = count
                break
            }
        }
        isIdle = reader.isIdle
    }

    /// Hands over all bytes at once.
    init(whole bytes: [UInt8], by rules: Rules) {
        self.init([bytes[...]], by: rules)
    }

    /// Hands over one byte at a time.
    init(byByte bytes: [UInt8], by rules: Rules) {
        self.init(bytes.indices.lazy.map { bytes[$0...$0] }, by: rules)
    }

    /// Hands over all bytes at once, of a connection without compression.
    init(whole bytes: [UInt8], from peer: WebSocketReader.Peer, limit: Int = 1_048_576) {
        self.init(whole: bytes, by: Rules(from: peer, limit: limit))
    }

    /// The same without the place at which the violation was found, which depends on the pieces.
    var outcome: Reading {
        var outcome = self
        outcome.bytesUntilViolation = nil
        return outcome
    }

    private static func read(
        _ bytes: ArraySlice<UInt8>,
        with reader: inout WebSocketReader,
        _ receive: (WebSocketMessage) -> Void
    ) throws(WebSocketViolation) {
        let result = bytes.withUnsafeBytes { bytes -> Result<Void, WebSocketViolation> in
            do throws(WebSocketViolation) {
                try reader.read(bytes, receive)
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }
}
