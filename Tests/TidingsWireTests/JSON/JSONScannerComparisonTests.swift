import Foundation
import TestSupport
import Testing

@testable import TidingsWire

@Suite("JSONScanner: compared with Foundation")
struct JSONScannerComparisonTests {
    private static func isJSONForFoundation(_ bytes: [UInt8]) -> Bool {
        (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil
    }

    @Test("Random JSON is JSON, with the same parts", arguments: 0..<200 as Range<UInt64>)
    func parts(seed: UInt64) throws {
        var random = RandomJSON(seed: seed)
        for _ in 0..<10 {
            let text = Array(random.text().utf8)
            #expect(Self.isJSONForFoundation(text))
            try Self.compare(text, with: try JSONTree(text))
            try Self.compare(Array(random.object(depth: 3).utf8))
        }
    }

    @Test("Random JSON with a fault is JSON for both or for neither", arguments: 0..<200 as Range<UInt64>)
    func faults(seed: UInt64) {
        var random = RandomJSON(seed: seed)
        for _ in 0..<20 {
            let text = random.mutated(random.text())
            guard let string = String(validating: text, as: UTF8.self), !string.contains(/[eE][+-]?\d{3}/) else {
                // Foundation refuses numbers that it cannot hold.
                continue
            }
            let isJSON = (try? JSONScanner.check(text)) != nil
            #expect(isJSON == Self.isJSONForFoundation(text), "\(string)")
        }
    }

    private static func compare(_ text: [UInt8]) throws {
        try compare(text, with: try JSONTree(text))
    }

    /// Goes down through the objects: what the scanner cuts out has to mean what Foundation found there.
    private static func compare(_ text: [UInt8], with tree: JSONTree) throws {
        let kind = try JSONScanner.check(text)
        switch tree {
        case .null: #expect(kind == .null)
        case .boolean: #expect(kind == .boolean)
        case .number: #expect(kind == .number)
        case .string(let string):
            #expect(kind == .string)
            #expect(try JSONScanner.string(of: text) == string)
        case .array(let values):
            #expect(kind == .array)
            #expect(try JSONScanner.strings(of: text) == Self.strings(values))
        case .object(let values):
            #expect(kind == .object)
            let members = try #require(try JSONScanner.members(of: text))
            #expect(Set(members.map(\.name)) == Set(values.keys))
            for member in members {
                let value = try #require(values[member.name])
                let part = Array(text[member.value])
                #expect(try JSONTree(part) == value)
                try compare(part, with: value)
            }
        }
    }

    private static func strings(_ values: [JSONTree]) -> [String]? {
        var strings: [String] = []
        for value in values {
            guard case .string(let string) = value else { return nil }
            strings.append(string)
        }
        return strings
    }
}
