#if PostgreSQL
import Testing

@testable import TidingsPostgres

@Suite("Parameters are found where PostgreSQL would look for them")
struct PlaceholderTranslationTests {
    @Test(
        "in each lexical place",
        arguments: [
            ("", "", 0),
            ("SELECT ?", "SELECT $1", 1),
            ("?,?, ?", "$1,$2, $3", 3),
            ("a = ? AND b ?? 'k'", "a = $1 AND b ? 'k'", 1),
            ("a ??| b ??& ?", "a ?| b ?& $1", 1),
            ("????", "??", 0),
            ("'?' ?", "'?' $1", 1),
            ("'it''s ?' ?", "'it''s ?' $1", 1),
            (#"'\' ? '?'"#, #"'\' $1 '?'"#, 1),
            (#"E'\' ?' ?"#, #"E'\' ?' $1"#, 1),
            (#"e'a''?\\' ?"#, #"e'a''?\\' $1"#, 1),
            (#"one'\' ?"#, #"one'\' $1"#, 1),
            (#"U&'?' N'?' B'?' ?"#, #"U&'?' N'?' B'?' $1"#, 1),
            (#""?" ?"#, #""?" $1"#, 1),
            (#""a""?" ?"#, #""a""?" $1"#, 1),
            ("-- ? '\n?", "-- ? '\n$1", 1),
            ("- ? -? --", "- $1 -$2 --", 2),
            ("/* ? */ ?", "/* ? */ $1", 1),
            ("/* /* ? */ ? */ ?", "/* /* ? */ ? */ $1", 1),
            ("a / ? * ?", "a / $1 * $2", 2),
            ("$$ ? ' $$ ?", "$$ ? ' $$ $1", 1),
            ("$a$ ? $$ $b$ $a$ ?", "$a$ ? $$ $b$ $a$ $1", 1),
            ("$ü_1$ ? $ü_1$?", "$ü_1$ ? $ü_1$$1", 1),
            ("price$a$ ? $a$", "price$a$ $1 $a$", 1),
            ("$1 ?", "$1 $1", 1),
            ("'never closed ?", "'never closed ?", 0),
            ("$x$ never closed ?", "$x$ never closed ?", 0),
            ("/* never closed ?", "/* never closed ?", 0),
            ("'🍔?' 🍔 ?", "'🍔?' 🍔 $1", 1),
        ]
    )
    func translates(_ sql: String, _ expected: String, _ parameters: Int) {
        let translation = PlaceholderTranslation(sql)
        #expect(String(decoding: translation.sql.dropLast(), as: UTF8.self) == expected)
        #expect(translation.sql.last == 0)
        #expect(translation.parameters == parameters)
    }

    @Test(
        "a star that selects columns is told from others",
        arguments: [
            ("SELECT * FROM a", true), ("SELECT a.* FROM a", true), ("DELETE FROM a RETURNING *", true),
            ("SELECT count(*) FROM a", false), ("SELECT '*' FROM a -- *", false), ("SELECT a FROM b", false),
        ]
    )
    func star(_ sql: String, _ hasStar: Bool) {
        #expect(PlaceholderTranslation(sql).hasStar == hasStar)
    }
}

@Suite("A connection keeps a limited number of statements prepared")
struct StatementCacheTests {
    @Test("a statement is prepared at its second use, and used by its name from then on")
    func secondUse() throws {
        var cache = StatementCache(limit: 2)
        guard case .plain = cache.use("a") else { throw Unexpected() }
        guard case .prepare(let name, nil) = cache.use("a") else { throw Unexpected() }
        cache.didPrepare("a", as: name)
        guard case .prepared(let known) = cache.use("a") else { throw Unexpected() }
        #expect(known == name)
        cache.removeAll()
        guard case .plain = cache.use("a") else { throw Unexpected() }
    }

    @Test("the server never has more statements than may be, whatever is used")
    func limit() {
        var cache = StatementCache(limit: 3)
        var (names, most): (Set<String>, Int) = ([], 0)
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<5000 {
            let key = "statement \(Int.random(in: 0..<8, using: &generator))"
            if case .prepare(let name, let old) = cache.use(key) {
                if let old { #expect(names.remove(old) != nil) }
                #expect(names.insert(name).inserted)
                cache.didPrepare(key, as: name)
            }
            most = max(most, names.count)
        }
        #expect(most <= 6)
        #expect(names.count >= 1)
    }

    private struct Unexpected: Error {}
}
#endif
