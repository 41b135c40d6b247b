import TestSupport
import Testing

@testable import TidingsWire

@Suite("UTF8Validator")
struct UTF8ValidatorTests {
    private static func isValid(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes(UTF8Validator.isValid)
    }

    private static func isValidForSwift(_ bytes: [UInt8]) -> Bool {
        String(validating: bytes, as: UTF8.self) != nil
    }

    @Test("It agrees with String on every sequence of one byte and of two")
    func oneAndTwoBytes() {
        var disagreements: [[UInt8]] = []
        for first in UInt8.min...UInt8.max {
            let one = [first]
            if Self.isValid(one) != Self.isValidForSwift(one) { disagreements.append(one) }
            for second in UInt8.min...UInt8.max {
                let two = [first, second]
                if Self.isValid(two) != Self.isValidForSwift(two) { disagreements.append(two) }
            }
        }
        #expect(disagreements.isEmpty)
    }

    @Test("It agrees with String on every sequence of bytes at the borders", arguments: 3...4)
    func borders(length: Int) {
        let bytes: [UInt8] = [
            0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF,
            0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
        ]
        var sequences: [[UInt8]] = [[]]
        for _ in 0..<length { sequences = sequences.flatMap { head in bytes.map { head + [$0] } } }
        let disagreement = sequences.first { Self.isValid($0) != Self.isValidForSwift($0) }
        #expect(disagreement == nil)
    }

    @Test("It agrees with String on random texts, whole and broken", arguments: 0..<50 as Range<UInt64>)
    func random(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<40 {
            var bytes = Array(generator.text(generator.number(in: 1...30)).utf8)
            #expect(Self.isValid(bytes))
            if generator.once(in: 2) {
                bytes[generator.number(in: 0...(bytes.count - 1))] = UInt8.random(in: 0...255, using: &generator)
            } else {
                bytes.remove(at: generator.number(in: 0...(bytes.count - 1)))
            }
            #expect(Self.isValid(bytes) == Self.isValidForSwift(bytes), "\(bytes)")
            let garbage = generator.bytes(generator.number(in: 0...8))
            #expect(Self.isValid(garbage) == Self.isValidForSwift(garbage), "\(garbage)")
        }
    }

    @Test("Pieces give what the whole gives", arguments: 0..<100 as Range<UInt64>)
    func pieces(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var bytes = Array(generator.text(generator.number(in: 0...40)).utf8)
        if generator.once(in: 2), !bytes.isEmpty {
            bytes[generator.number(in: 0...(bytes.count - 1))] ^= 0x80
        }
        var validator = UTF8Validator()
        var isValid = true
        for piece in generator.cut(bytes, sizes: 1...10) where isValid {
            isValid = piece.withUnsafeBytes { validator.validate($0) }
        }
        #expect((isValid && validator.isComplete) == Self.isValidForSwift(bytes))
    }

    @Test("A long run of ASCII hides nothing", arguments: 0...40)
    func runs(length: Int) {
        let run = Array(repeating: UInt8(ascii: "a"), count: length)
        #expect(Self.isValid(run))
        #expect(Self.isValid(run + Array("漢".utf8) + run))
        #expect(!Self.isValid(run + [0x80] + run))
        #expect(!Self.isValid(run + [0xE6, 0xBC]))
    }

    @Test(
        "The fault is found with the first byte that nothing can mend",
        arguments: [
            ([0x61, 0x80], 2), ([0xC0], 1), ([0xC1], 1), ([0xE0, 0x9F], 2), ([0xED, 0xA0], 2), ([0xF0, 0x8F], 2),
            ([0xF4, 0x90], 2), ([0xF5], 1), ([0xFF], 1), ([0xC3, 0x28], 2), ([0xE6, 0xBC, 0x28], 3),
            ([0xF0, 0x9F, 0x8D, 0x28], 4),
        ] as [([UInt8], Int)]
    )
    func earliness(bytes: [UInt8], count: Int) {
        var validator = UTF8Validator()
        for (position, byte) in (bytes + [0x61, 0x61]).enumerated() {
            guard [byte].withUnsafeBytes({ validator.validate($0) }) else {
                #expect(position + 1 == count)
                return
            }
        }
        Issue.record("no fault was found")
    }

    @Test("A text is complete between its characters, and only there")
    func completeness() {
        var validator = UTF8Validator()
        var complete: [Bool] = [validator.isComplete]
        for byte in "aé漢🍔".utf8 {
            #expect([byte].withUnsafeBytes { validator.validate($0) })
            complete.append(validator.isComplete)
        }
        #expect(complete == [true, true, false, true, false, false, true, false, false, false, true])
        #expect(validator == UTF8Validator())
    }
}
