import Foundation
import TestSupport
import Testing

@testable import TidingsWire

@Suite("JSONValue")
struct JSONValueTests {
    private static func json(_ value: JSONValue) -> [UInt8] {
        var bytes: [UInt8] = []
        value.append(to: &bytes)
        return bytes
    }

    @Test(
        "Values are written",
        arguments: [
            (nil, "null"), (true, "true"), (false, "false"), (0, "0"), (-7, "-7"), (7.5, "7.5"), (-0.25, "-0.25"),
            ("a\"b", #""a\"b""#), ([], "[]"), ([1, "a", nil], #"[1,"a",null]"#), ([:], "{}"),
            (["b": 1, "a": [true]], #"{"a":[true],"b":1}"#), (["a": ["b": ["c": []]]], #"{"a":{"b":{"c":[]}}}"#),
            (["a\nb": 1], #"{"a\nb":1}"#), ("\(1)-\(2)", #""1-2""#),
            (.integer(.max), "9223372036854775807"), (.integer(.min), "-9223372036854775808"),
            (.double(.infinity), "null"), (.double(-.infinity), "null"), (.double(.nan), "null"),
        ] as [(JSONValue, String)]
    )
    func written(value: JSONValue, json: String) {
        #expect(Self.json(value) == Array(json.utf8))
    }

    @Test("Of two members with one name the later counts")
    func duplicates() {
        #expect(["a": 1, "a": 2] as JSONValue == .object(["a": 2]))
    }

    @Test(
        "Foundation reads every number back",
        arguments: [
            0, -0.0, 1, 0.1, 1.0 / 3, 1e15, 1e16, 1e17, 123_456_789.123, 1e-5, 1e-7, 1e100, -1e-100,
            .pi, .ulpOfOne, .leastNormalMagnitude, .leastNonzeroMagnitude, .greatestFiniteMagnitude,
        ] as [Double]
    )
    func doubles(number: Double) throws {
        let json = Self.json(.double(number))
        #expect(try JSONScanner.check(json) == .number)
        let back = try JSONDecoder().decode(Double.self, from: Data(json))
        #expect(back == number)
    }

    @Test("Foundation reads random values back", arguments: 0..<100 as Range<UInt64>)
    func random(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let value = Self.value(depth: 4, using: &generator)
        let json = Self.json(value)
        _ = try JSONScanner.check(json)
        #expect(try JSONTree(json) == Self.tree(of: value))
    }

    private static func value(depth: Int, using generator: inout SeededGenerator) -> JSONValue {
        switch generator.number(in: 0...(depth > 0 ? 6 : 4)) {
        case 0: return .null
        case 1: return .boolean(generator.once(in: 2))
        case 2: return .integer(generator.number(in: Int.min...Int.max))
        case 3: return .double(Double(generator.number(in: -9999...9999)) / 64)
        case 4: return .string(generator.text(generator.number(in: 0...10)))
        case 5: return .array((0..<generator.number(in: 0...4)).map { _ in value(depth: depth - 1, using: &generator) })
        default:
            var members: [String: JSONValue] = [:]
            for number in 0..<generator.number(in: 0...4) {
                members["\(number)" + generator.text(3)] = value(depth: depth - 1, using: &generator)
            }
            return .object(members)
        }
    }

    private static func tree(of value: JSONValue) -> JSONTree {
        switch value {
        case .null: .null
        case .boolean(let value): .boolean(value)
        case .integer(let value): .number(Decimal(value))
        // By way of its text: Foundation's conversion of the number itself is not exact.
        case .double(let value): .number(Decimal(string: "\(value)") ?? .nan)
        case .string(let value): .string(value)
        case .array(let values): .array(values.map(tree))
        case .object(let members): .object(members.mapValues(tree))
        }
    }
}
