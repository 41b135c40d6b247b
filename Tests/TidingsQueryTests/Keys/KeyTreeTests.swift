import TestSupport
import Testing

@testable import TidingsQuery

@Suite("The tree of keys")
struct KeyTreeTests {
    @Test("finds what was put in, and nothing else")
    func find() {
        var tree = KeyTree<Int>()
        tree.insert(1, for: ["a"])
        tree.insert(2, for: ["a", "b"])
        tree.insert(3, for: [])
        #expect(tree[["a"]] == 1)
        #expect(tree[["a", "b"]] == 2)
        #expect(tree[[]] == 3)
        #expect(tree[["b"]] == nil)
        #expect(tree[["a", "b", "c"]] == nil)
        #expect(tree.count == 3)
        tree.insert(4, for: ["a"])
        #expect(tree[["a"]] == 4)
        #expect(tree.count == 3)
    }

    @Test("lets go of a value and keeps those below it")
    func remove() {
        var tree = KeyTree<Int>()
        tree.insert(1, for: ["a"])
        tree.insert(2, for: ["a", "b"])
        #expect(tree.remove(["a"]) == 1)
        #expect(tree[["a", "b"]] == 2)
        #expect(tree.remove(["a"]) == nil)
        #expect(tree.remove(["x", "y"]) == nil)
        #expect(tree.remove(["a", "b"]) == 2)
        #expect(tree.count == 0)
    }

    @Test("finds below a key what a search through everything finds")
    func agreesWithSearch() {
        var random = SeededGenerator(seed: 11)
        let pool: [QueryKey.Segment] = ["a", 1, nil, ["x": 1], ["x": 1, "y": 2], [1], [1, 2]]
        func key() -> QueryKey {
            QueryKey((0..<random.number(in: 0...3)).map { _ in pool[random.number(in: 0...6)] })
        }
        var tree = KeyTree<QueryKey>()
        var all: Set<QueryKey> = []
        for _ in 0..<500 {
            let key = key()
            if random.once(in: 3) {
                tree.remove(key)
                all.remove(key)
            } else {
                tree.insert(key, for: key)
                all.insert(key)
            }
            let prefix = QueryKey(Array(key.segments.prefix(random.number(in: 0...3))))
            var found: Set<QueryKey> = []
            tree.forEach(under: prefix) { found.insert($0) }
            #expect(found == all.filter { $0.starts(with: prefix) })
            #expect(tree.count == all.count)
        }
    }
}
