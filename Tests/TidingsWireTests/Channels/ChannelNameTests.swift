import TestSupport
import Testing
import TidingsWire

@Suite("ChannelName")
struct ChannelNameTests {
    struct Vector: Decodable, Sendable, CustomTestStringConvertible {
        let title: String
        let channel: GeneratedText
        let fault: Fault?

        var testDescription: String { title }
    }

    enum Fault: String, Decodable {
        case empty
        case tooLong = "too_long"
        case control
        case whiteSpace = "white_space"

        var message: String {
            switch self {
            case .empty: "is empty"
            case .tooLong: "1–255 bytes; this one has "
            case .control, .whiteSpace: "no white space and no control characters"
            }
        }
    }

    private static func vectors() throws -> [Vector] {
        try Vectors.cases("channel-names")
    }

    @Test("Valid names", arguments: try vectors().filter { $0.fault == nil })
    func valid(vector: Vector) throws {
        let name = try ChannelName(vector.channel.text)
        #expect(Array(name.rawValue.utf8) == Array(vector.channel.text.utf8))
        #expect("\(name)" == vector.channel.text)
    }

    @Test("Invalid names", arguments: try vectors().filter { $0.fault != nil })
    func invalid(vector: Vector) throws {
        let fault = try #require(vector.fault)
        let error = #expect(throws: WireError.self) { try ChannelName(vector.channel.text) }
        #expect(error?.code == .badChannel)
        #expect(error?.message.contains(fault.message) == true)
        #expect(error?.channel == (fault == .tooLong ? nil : vector.channel.text))
    }

    @Test("A part of a text becomes a name")
    func substrings() throws {
        let text = "order:7,contact"
        #expect(try text.split(separator: ",").map(ChannelName.init) == ["order:7", "contact"])
        #expect(throws: WireError.self) { try ChannelName("order 7"[...]) }
    }

    @Test("Names are equal when their bytes are", arguments: Self.lookAlikes)
    func equality(left: String, right: String) throws {
        let names = [try ChannelName(left), try ChannelName(right)]
        #expect(left == right)
        #expect(names[0] != names[1])
        #expect(Set(names).count == 2)
        #expect(names[0] == (try ChannelName(left)))
        #expect(names[0].hashValue == (try ChannelName(left).hashValue))
    }

    /// Texts that are equal to Swift and to a reader, but not on the wire, where other languages compare code points.
    private static let lookAlikes = [
        ("k\u{FC}che", "ku\u{308}che"),
        ("\u{212B}", "\u{C5}"),
        ("a\u{323}\u{307}", "a\u{307}\u{323}"),
        ("\u{212A}", "K"),
    ]

    @Test("Names are ordered by their Unicode scalar values")
    func order() throws {
        let sorted: [ChannelName] = [
            "Z", "a", "e\u{301}", "f", "order", "order:1", "order:10", "order:2", "\u{E9}", "漢", "\u{FFFD}", "🍔",
        ]
        #expect(sorted.shuffled().sorted() == sorted)
        for (position, left) in sorted.enumerated() {
            for (other, right) in sorted.enumerated() {
                #expect((left < right) == (position < other), "\(left) \(right)")
            }
        }
    }

    #if os(Linux) || os(macOS)
    @Test("A literal that is no name is a mistake of the programmer")
    func badLiteral() async {
        await #expect(processExitsWith: .failure) {
            let name: ChannelName = "order 7"
            _ = name
        }
    }
    #endif
}
