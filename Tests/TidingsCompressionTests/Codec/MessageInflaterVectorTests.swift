import TestSupport
import Testing
import TidingsCompression
import TidingsWire

@Suite("MessageInflater: vectors")
struct MessageInflaterVectorTests {
    @Test("What others compressed comes out as it was", arguments: try DeflateVector.all())
    func messages(vector: DeflateVector) throws {
        let inflater = vector.inflater
        for message in vector.messages ?? [] {
            #expect(try inflater.inflate(message.deflated.bytes()) == message.inflated())
        }
    }

    @Test("Pieces give the same as the whole", arguments: try DeflateVector.all())
    func pieces(vector: DeflateVector) throws {
        var generator = SeededGenerator(seed: 7692)
        for sizes in [1...1, 1...10, 5...200] {
            let inflater = vector.inflater
            for message in vector.messages ?? [] {
                var pieces = generator.cut(try message.deflated.bytes(), sizes: sizes).map(Array.init)
                pieces.insert([], at: generator.number(in: 0...pieces.count))
                #expect(try inflater.inflate(pieces: pieces) == message.inflated())
            }
        }
    }

    @Test(
        "What cannot be inflated is a violation with its code",
        arguments: try DeflateVector.all().filter { $0.violation != nil }
    )
    func violations(vector: DeflateVector) throws {
        let inflater = vector.inflater
        for message in vector.messages ?? [] { _ = try inflater.inflate(message.deflated.bytes()) }
        let expected = try #require(vector.violation)
        let violation = #expect(throws: WebSocketViolation.self) { try inflater.inflate(expected.deflated.bytes()) }
        #expect(violation?.code.rawValue == expected.code)
        #expect((1...123).contains(violation?.reason.utf8.count ?? 0))
    }

    @Test("Messages by themselves are read by one inflater, whatever came before")
    func shared() throws {
        let inflater = MessageInflater(maximumMessageBytes: 1_048_576)
        for vector in try DeflateVector.all() where vector.keepsContext != true && vector.limit == nil {
            if let violation = vector.violation {
                #expect(throws: WebSocketViolation.self) { try inflater.inflate(violation.deflated.bytes()) }
            }
            for message in vector.messages ?? [] {
                #expect(try inflater.inflate(message.deflated.bytes()) == message.inflated())
            }
        }
    }
}

extension DeflateVector {
    fileprivate var inflater: MessageInflater {
        MessageInflater(maximumMessageBytes: maximumMessageBytes, keepsContext: keepsContext ?? false)
    }
}
