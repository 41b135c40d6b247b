import TestSupport
import Testing
import TidingsWire

@Suite("WebSocketReader: vectors")
struct WebSocketReaderVectorTests {
    @Test("Bytes that keep to the rules give their messages", arguments: try FrameVector.readable())
    func messages(vector: FrameVector) throws {
        let reading = Reading(whole: try vector.bytes.bytes(), by: vector.rules)
        #expect(reading.violation == nil)
        #expect(reading.messages == (try vector.expectedMessages()))
        #expect(reading.isIdle == vector.idle ?? true)
    }

    @Test("One byte at a time gives the same", arguments: try FrameVector.readable())
    func byByte(vector: FrameVector) throws {
        let bytes = try vector.bytes.bytes()
        let whole = Reading(whole: bytes, by: vector.rules)
        #expect(Reading(byByte: bytes, by: vector.rules) == whole)
    }

    @Test("Two reads give the same, wherever they meet", arguments: try FrameVector.readable())
    func cutInTwo(vector: FrameVector) throws {
        let bytes = try vector.bytes.bytes()
        let whole = Reading(whole: bytes, by: vector.rules)
        for cut in Self.cuts(of: bytes) {
            let halves = Reading([bytes[..<cut], bytes[cut...]], by: vector.rules)
            #expect(halves == whole, "cut after \(cut) of \(bytes.count) bytes")
        }
    }

    /// Every place, but within the long and uniform payloads only some: they are there for their lengths.
    private static func cuts(of bytes: [UInt8]) -> [Int] {
        guard bytes.count > 1000 else { return Array(0...bytes.count) }
        let inside = stride(from: 300, to: bytes.count - 300, by: 6_007)
        return Array(0..<300) + Array(inside) + Array((bytes.count - 300)...bytes.count)
    }

    @Test("Bytes that break a rule give its code, after the messages before", arguments: try FrameVector.violating())
    func violations(vector: FrameVector) throws {
        let expected = try #require(vector.violation)
        let bytes = try vector.bytes.bytes()
        let reading = Reading(whole: bytes, by: vector.rules)
        #expect(reading.violation?.code.rawValue == expected.code)
        #expect(reading.messages == (try vector.expectedMessages()))
    }

    @Test("A broken rule is found with the byte that breaks it", arguments: try FrameVector.violating())
    func earliness(vector: FrameVector) throws {
        let expected = try #require(vector.violation)
        let bytes = try vector.bytes.bytes()
        let byByte = Reading(byByte: bytes, by: vector.rules)
        #expect(byByte.bytesUntilViolation == expected.after)
        let whole = Reading(whole: bytes, by: vector.rules)
        #expect(byByte.outcome == whole.outcome)
        let head = Reading(whole: Array(bytes[..<expected.after]), by: vector.rules)
        #expect(head.violation == whole.violation)
    }

    @Test("The reason of a violation fits into a close frame", arguments: try FrameVector.violating())
    func reasons(vector: FrameVector) throws {
        let reading = Reading(whole: try vector.bytes.bytes(), by: vector.rules)
        let violation = try #require(reading.violation)
        #expect((1...123).contains(violation.reason.utf8.count))
        #expect(violation.code.mayBeSent)
    }
}
