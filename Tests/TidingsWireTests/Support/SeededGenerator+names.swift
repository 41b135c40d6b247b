import TestSupport
import TidingsWire

extension SeededGenerator {
    /// A text that is a name of a channel and of an event.
    mutating func name() -> String {
        while true {
            let text = text(number(in: 1...20))
            if (try? ChannelName(text)) != nil { return text }
        }
    }
}
