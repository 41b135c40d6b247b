/// Writes server-sent events (WHATWG HTML, "Server-sent events"): what a response of the type `text/event-stream` is made
/// of. Each function writes whole blocks, so that they can be put behind one another.
package enum EventStreamText {
    /// The type of such a response.
    package static let mediaType = "text/event-stream"

    /// A message.
    ///
    /// - Parameters:
    ///   - data: What it says. It comes out as the same lines, each ended by a line feed.
    ///   - id: What a client sends as `Last-Event-ID` when it comes back after this message; nil: what it had before.
    package static func message(_ data: [UInt8], id: String? = nil) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(data.count + 72)
        if let id { appendID(id, to: &text) }
        append(lines: data, to: &text)
        text.append(lineFeed)
        return text
    }

    /// The line that sets what a client sends as `Last-Event-ID`, to be put right before a message, or before an empty
    /// line, which makes it stand for itself.
    package static func idLine(_ id: String) -> [UInt8] {
        var text: [UInt8] = []
        appendID(id, to: &text)
        return text
    }

    /// Sets what a client sends as `Last-Event-ID`, and says nothing.
    package static func id(_ id: String) -> [UInt8] { idLine(id) + [lineFeed] }

    /// Tells a client how long it waits before it comes back.
    package static func retry(after time: Duration) -> [UInt8] {
        Array("retry: \(time.wireMilliseconds)\n\n".utf8)
    }

    /// What clients ignore: a sign of life, or a word to whoever looks at the stream.
    ///
    /// - Parameter text: One line.
    package static func comment(_ text: String = "") -> [UInt8] {
        let line = text.utf8.filter { $0 != lineFeed && $0 != carriageReturn }
        return [UInt8(ascii: ":")] + (line.isEmpty ? [] : [UInt8(ascii: " ")]) + line + [lineFeed, lineFeed]
    }

    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    private static func appendID(_ id: String, to text: inout [UInt8]) {
        text += Array("id: ".utf8)
        text += Array(id.utf8)
        text.append(lineFeed)
    }

    /// JSON may have line breaks between its parts, and there a line begins anew.
    private static func append(lines data: [UInt8], to text: inout [UInt8]) {
        let prefix = Array("data: ".utf8)
        text += prefix
        var isAfterReturn = false
        for byte in data {
            switch byte {
            case lineFeed where isAfterReturn: break
            case lineFeed, carriageReturn:
                text.append(lineFeed)
                text += prefix
            default: text.append(byte)
            }
            isAfterReturn = byte == carriageReturn
        }
        text.append(lineFeed)
    }
}
