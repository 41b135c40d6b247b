/// Reads server-sent events as the HTML standard says ("Interpreting an event stream"): what a browser makes of them.
public struct EventStreamReader: Sendable {
    /// A message as a page gets it.
    public struct Message: Hashable, Sendable {
        /// What it says.
        public let data: String
        /// What would be sent as `Last-Event-ID` after it.
        public let lastEventID: String
    }

    /// What would be sent as `Last-Event-ID` now.
    public private(set) var lastEventID = ""
    /// The milliseconds to wait before coming back, if the server said.
    public private(set) var retry: Int?
    /// The comments that were read.
    public private(set) var comments: [String] = []
    private var identifier = ""
    private var data: String?
    private var rest: [UInt8] = []

    /// Starts before the first byte.
    public init() {}

    /// Reads bytes as they come, and returns the messages that they complete.
    public mutating func read(_ bytes: some Sequence<UInt8>) -> [Message] {
        rest += bytes
        var messages: [Message] = []
        while let end = rest.firstIndex(where: { $0 == 0x0A || $0 == 0x0D }) {
            // A carriage return may be half of a line's end.
            guard rest[end] == 0x0A || end + 1 < rest.count else { break }
            let line = String(decoding: rest[..<end], as: UTF8.self)
            let isPair = rest[end] == 0x0D && rest[end + 1] == 0x0A
            rest.removeFirst(end + (isPair ? 2 : 1))
            if let message = take(line) { messages.append(message) }
        }
        return messages
    }

    private mutating func take(_ line: String) -> Message? {
        guard !line.isEmpty else { return dispatch() }
        guard !line.hasPrefix(":") else {
            comments.append(String(line.dropFirst()))
            return nil
        }
        let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        var value = parts.count > 1 ? String(parts[1]) : ""
        if value.hasPrefix(" ") { value.removeFirst() }
        switch parts[0] {
        case "data": data = data.map { $0 + "\n" + value } ?? value
        case "id": if !value.unicodeScalars.contains("\0") { identifier = value }
        case "retry": if !value.isEmpty, value.allSatisfy(\.isNumber) { retry = Int(value) }
        default: break
        }
        return nil
    }

    private mutating func dispatch() -> Message? {
        lastEventID = identifier
        defer { data = nil }
        return data.map { Message(data: $0, lastEventID: lastEventID) }
    }
}
