import TestSupport
import Testing
import TidingsWire

@Suite("EventPosition")
struct EventPositionTests {
    struct Vector: Decodable, Sendable, CustomTestStringConvertible {
        let title: String
        let text: GeneratedText
        let position: Position?

        struct Position: Decodable, Sendable {
            let epoch: GeneratedText
            let offset: String
        }

        var testDescription: String { title }
    }

    private static func vectors() throws -> [Vector] {
        try Vectors.cases("positions")
    }

    @Test("Positions are read, and written as they were", arguments: try vectors().filter { $0.position != nil })
    func valid(vector: Vector) throws {
        let expected = try #require(vector.position)
        let position = try #require(EventPosition(vector.text.text))
        #expect(position.epoch == expected.epoch.text)
        #expect(position.offset == (try #require(UInt64(expected.offset))))
        #expect(position.description == vector.text.text)
        #expect(position == EventPosition(epoch: position.epoch, offset: position.offset))
    }

    @Test("Other texts are none", arguments: try vectors().filter { $0.position == nil })
    func invalid(vector: Vector) {
        #expect(EventPosition(vector.text.text) == nil)
    }

    @Test("A part of a text becomes a position")
    func substrings() {
        let positions = "k3f9:41,m2p4:7".split(separator: ",").map { EventPosition($0) }
        #expect(positions == [EventPosition(epoch: "k3f9", offset: 41), EventPosition(epoch: "m2p4", offset: 7)])
    }

    @Test("Any text is read without harm", arguments: 0..<20 as Range<UInt64>)
    func garbage(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let alphabet = Array("abz:09-_ é\u{301}:".unicodeScalars)
        for _ in 0..<500 {
            var text = String.UnicodeScalarView()
            for _ in 0..<generator.number(in: 0...20) {
                text.append(alphabet[generator.number(in: 0...(alphabet.count - 1))])
            }
            guard let position = EventPosition(String(text)) else { continue }
            #expect(EventPosition(position.description) == position)
        }
    }
}
