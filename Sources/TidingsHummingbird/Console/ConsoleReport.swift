/// How a hub stands, as the console's page is told about once a second.
struct ConsoleReport: Codable, Hashable, Sendable {
    struct Channel: Codable, Hashable, Sendable {
        let name: String
        let subscribers: Int
    }

    struct Slow: Codable, Hashable, Sendable {
        /// Nil if the client has not said who it is.
        let subject: String?
        let stream: Bool
        let channels: Int
        let events: Int
        let bytes: Int
        let seconds: Int
    }

    struct Failure: Codable, Hashable, Sendable {
        /// Whose it was: `client` or `server`.
        let origin: String
        let code: String
        let message: String
        let count: Int
        /// When it occurred last, in milliseconds since 1970.
        let at: Int64
    }

    /// When this was measured, in milliseconds since the console was made. It differs each time, so that a page that hears
    /// nothing knows that it is not connected.
    let measured: Int64
    /// When this was measured, in milliseconds since 1970.
    let at: Int64
    let connections: Int
    let subscriptions: Int
    /// Counted since the server began.
    let published: Int
    let delivered: Int
    let superseded: Int
    let collapsed: Int
    let waitingBytes: Int
    let channelCount: Int
    /// Those with the most subscribers.
    let channels: [Channel]
    let slowCount: Int
    /// Those for which most waits.
    let slow: [Slow]
    /// The newest first.
    let errors: [Failure]
}

/// Which parts of a server work, as the console's page is told.
struct ConsoleHealth: Codable, Hashable, Sendable {
    struct Part: Codable, Hashable, Sendable {
        let name: String
        /// What is wrong; nil if it works.
        let failure: String?
        /// How it fares, in numbers.
        let numbers: [String: Int]
    }

    let parts: [Part]
}

extension [ConsoleReport.Channel] {
    /// The channels with the most subscribers, and of those with as many the first by name.
    ///
    /// Keeps no more than it returns: there may be a hundred thousand channels.
    static func busiest(_ count: Int, of channels: some Sequence<(name: String, subscribers: Int)>) -> Self {
        var busiest: Self = []
        for (name, subscribers) in channels {
            let channel = ConsoleReport.Channel(name: name, subscribers: subscribers)
            if busiest.count >= count {
                guard let last = busiest.last, channel.isBusier(than: last) else { continue }
                busiest.removeLast()
            }
            busiest.insert(channel, at: busiest.firstIndex { channel.isBusier(than: $0) } ?? busiest.endIndex)
        }
        return busiest
    }
}

extension ConsoleReport.Channel {
    fileprivate func isBusier(than other: Self) -> Bool {
        subscribers == other.subscribers ? name < other.name : subscribers > other.subscribers
    }
}
