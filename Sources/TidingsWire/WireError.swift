/// What a peer got wrong, as the server tells it: a stable code for programs and a sentence for people.
///
/// An error never carries a payload, a token or any other part of the message that it is about, except the name of the
/// channel that was refused.
public struct WireError: Error, Hashable, Sendable {
    /// What kind of mistake it was. Later versions may add codes.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The code as it stands on the wire.
        public let rawValue: String

        /// Takes any code, known or not.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The message is not JSON (RFC 8259).
        public static let badJSON = Code(rawValue: "bad_json")
        /// The message is JSON, but not one that the dialect knows.
        public static let badRequest = Code(rawValue: "bad_request")
        /// The channel's name breaks a rule of ``ChannelName``.
        public static let badChannel = Code(rawValue: "bad_channel")
        /// The connection holds as many channels as it may.
        public static let tooManyChannels = Code(rawValue: "too_many_channels")
        /// The payload is larger than a payload may be.
        public static let tooLarge = Code(rawValue: "too_large")
        /// Messages arrive faster than they may.
        public static let rateLimited = Code(rawValue: "rate_limited")
        /// The connection has not said who it is.
        public static let unauthenticated = Code(rawValue: "unauthenticated")
        /// Who is connected may not do this.
        public static let forbidden = Code(rawValue: "forbidden")
        /// What the server needs for this is away. Asking again later may help.
        public static let unavailable = Code(rawValue: "unavailable")
    }

    /// What kind of mistake it was.
    public let code: Code
    /// One sentence that says what to do.
    public let message: String
    /// The channel that was refused, as the peer wrote it; nil if it is about no channel, or the name is over-long.
    public let channel: String?

    /// Describes a mistake.
    ///
    /// - Parameters:
    ///   - code: What kind of mistake it was.
    ///   - message: One sentence that says what to do. It is sent to the peer: no payloads, no secrets.
    ///   - channel: The channel that was refused, if it is about one.
    public init(_ code: Code, _ message: String, channel: String? = nil) {
        self.code = code
        self.message = message
        self.channel = channel
    }
}

extension WireError: CustomStringConvertible {
    /// The code and the sentence.
    public var description: String {
        "\(code.rawValue): \(message)"
    }
}
