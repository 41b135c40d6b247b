/// A text that is equal to another only byte by byte, as names in JSON are (RFC 8259 §8.3) and names on the wire:
/// `String` itself takes texts that look alike for equal.
struct ExactText: Sendable {
    let text: String

    init(_ text: String) {
        self.text = text
    }
}

extension ExactText: Hashable {
    static func == (left: ExactText, right: ExactText) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8)
    }

    func hash(into hasher: inout Hasher) {
        hasher.combineBytes(of: text)
    }
}
