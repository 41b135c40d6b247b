import TestSupport
import Testing

@testable import TidingsQuery

@Suite("Query keys")
struct QueryKeyTests {
    @Test("are equal if their segments are, whatever the order of members")
    func equality() {
        let one: QueryKey = ["orders", ["status": "open", "page": 2]]
        let other: QueryKey = ["orders", ["page": 2, "status": "open"]]
        #expect(one == other)
        #expect(one.hashValue == other.hashValue)
    }

    @Test(
        "tell kinds apart",
        arguments: [
            (["1"], [1]), ([nil], ["null"]), ([true], [1]), ([[]], [[:]]), (["a"], [["a"]]),
        ] as [(QueryKey, QueryKey)]
    )
    func kinds(_ pair: (QueryKey, QueryKey)) {
        #expect(pair.0 != pair.1)
        #expect(pair.0.description != pair.1.description)
    }

    @Test(
        "tell texts apart that are encoded differently",
        arguments: [
            (["\u{E9}"], ["e\u{301}"]),
            (["a\u{323}\u{307}"], ["a\u{307}\u{323}"]),
            ([["\u{E9}": 1]], [["e\u{301}": 1]]),
            ([["\u{E9}"]], [["e\u{301}"]]),
        ] as [(QueryKey, QueryKey)]
    )
    func encodings(_ pair: (QueryKey, QueryKey)) {
        #expect(pair.0 != pair.1)
        #expect(!pair.0.description.utf8.elementsEqual(pair.1.description.utf8))
        #expect(!pair.0.starts(with: pair.1))
        #expect(QueryKey(canonical: pair.0.description) == pair.0)
        #expect(QueryKey(canonical: pair.1.description) == pair.1)
        var tree = KeyTree<Int>()
        tree.insert(0, for: pair.0)
        tree.insert(1, for: pair.1)
        #expect(tree.count == 2)
        #expect(tree[pair.0] == 0)
    }

    @Test(
        "have a canonical form",
        arguments: [
            ([], "[]"),
            (["orders", 42, true, false, nil], #"["orders",42,true,false,null]"#),
            (
                ["orders", ["b": 1, "a": ["z": nil, "y": [1, "x"]]]], #"["orders",{"a":{"y":[1,"x"],"z":null},"b":1}]"#
            ),
            (["quote\" slash\\ tab\t"], #"["quote\" slash\\ tab\u0009"]"#),
            (["é 😀 ü"], #"["é 😀 ü"]"#),
            ([-7, [], [:]], "[-7,[],{}]"),
        ] as [(QueryKey, String)]
    )
    func canonical(_ pair: (QueryKey, String)) {
        #expect(pair.0.description == pair.1)
        #expect(QueryKey(canonical: pair.1) == pair.0)
    }

    @Test(
        "do not come from other texts",
        arguments: [
            "", "orders", "\"orders\"", "[", "[1", "[1,]", "[1 ,2]", "[1]x", "{}", "[{\"a\"}]", "[tru]", "[1.5]",
            "[\"\\x\"]", "[\"\\u00\"]", "[\"open]", String(repeating: "[", count: 1000),
        ]
    )
    func malformed(_ text: String) {
        #expect(QueryKey(canonical: text) == nil)
    }

    @Test("come back from their form, whatever is in them")
    func roundTrip() {
        var random = SeededGenerator(seed: 5)
        for _ in 0..<300 {
            let key = QueryKey((0..<random.number(in: 0...4)).map { _ in segment(&random, depth: 0) })
            #expect(QueryKey(canonical: key.description) == key)
        }
    }

    private func segment(_ random: inout SeededGenerator, depth: Int) -> QueryKey.Segment {
        switch random.number(in: 0...(depth > 2 ? 3 : 5)) {
        case 0: return .string(random.text(random.number(in: 0...6)))
        case 1: return .integer(random.number(in: -1000...1000))
        case 2: return .boolean(random.once(in: 2))
        case 3: return .null
        case 4: return .array((0..<random.number(in: 0...3)).map { _ in segment(&random, depth: depth + 1) })
        default:
            let names = (0..<random.number(in: 0...3)).map { _ in random.text(3) }
            return .object(Dictionary(names.map { ($0, segment(&random, depth: depth + 1)) }) { $1 })
        }
    }

    @Test(
        "lie below the keys that they begin with",
        arguments: [
            (["orders", 1], [], true),
            (["orders", 1], ["orders"], true),
            (["orders", 1], ["orders", 1], true),
            (["orders", 1], ["orders", "1"], false),
            (["orders"], ["orders", 1], false),
            (["orders", 1], ["order"], false),
            (["orders", ["status": "open", "page": 1]], ["orders", ["page": 1]], true),
            (["orders", ["status": "open", "page": 1]], ["orders", [:]], true),
            (["orders", ["status": "open"]], ["orders", ["status": "held"]], false),
            (["orders", ["status": "open"]], ["orders", ["page": nil]], false),
            (["a", ["b": ["c": 1, "d": 2]]], ["a", ["b": ["d": 2]]], true),
            (["a", [1, 2, 3]], ["a", [1, 2]], true),
            (["a", [1, 2, 3]], ["a", [2]], false),
            (["orders", 1, "x"], [["a": 1]], false),
        ] as [(QueryKey, QueryKey, Bool)]
    )
    func prefixes(_ key: QueryKey, _ prefix: QueryKey, _ expected: Bool) {
        #expect(key.starts(with: prefix) == expected)
    }

    @Test("grow at the end")
    func appending() {
        let key: QueryKey = ["orders"]
        #expect(key.appending("detail", 7) == ["orders", "detail", 7])
    }

    @Test("hold what is interpolated")
    func interpolation() {
        let id = 7
        let key: QueryKey = ["orders", "number \(id)", .integer(id)]
        #expect(key.segments == [.string("orders"), .string("number 7"), .integer(7)])
    }
}
