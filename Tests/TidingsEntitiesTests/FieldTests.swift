import Foundation
import TestSupport
import Testing
import TidingsEntities
import TidingsWire

/// Everything that a field can be.
private struct Sample: Entity {
    enum Course: String, FieldChoice { case starter, main, café }

    @Key var id: UUID
    @Field(.length(2...4)) var text: String?
    @Field(.length(3...3)) var exact: String?
    @Field(.trimmed, .length(0...3)) var trimmed: String?
    @Field(.pattern(#"\d{2}\w*."#)) var pattern: String?
    @Field var any: String?
    @Field var required = "x"
    @Field(.range(-5...5)) var integer: Int?
    @Field(.atLeast(1)) var positive: Int?
    @Field var wide: Int?
    @Field(.range(-0.5...2.5)) var real: Double?
    @Field var number: Double?
    @Field var flag: Bool?
    @Field(.atMost(Date(timeIntervalSince1970: 0))) var past: Date?
    @Field var date: Date?
    @Field var uuid: UUID?
    @Field var course: Course?
    @Field(.syncExclude) var hidden = "kept"
    @CreatedAt var createdAt: Date
}

@Suite("Fields of a request", .timeLimit(.patience))
struct FieldTests {
    /// A member and what is wrong with it: pointer and code, or nil and what it is read as.
    private typealias Case = (member: String, pointer: String?, result: String)

    private static let cases: [Case] = [
        // Texts: lengths are in Unicode scalars.
        (#""text":"ab""#, nil, #""ab""#), (#""text":"a""#, "/text", "length"), (#""text":"abcde""#, "/text", "length"),
        (#""text":"e\u0301e\u0301""#, nil, "\"e\u{301}e\u{301}\""), (#""text":"👩‍👩‍👧""#, "/text", "length"),
        (#""text":null"#, nil, "null"), (#""text":1"#, "/text", "type"), (#""text":true"#, "/text", "type"),
        (#""text":[]"#, "/text", "type"), (#""text":{}"#, "/text", "type"), (#""exact":"ab""#, "/exact", "length"),
        (#""any":"a\u0000b""#, "/any", "characters"), (#""any":"""#, nil, #""""#),
        (#""any":"\ud83d\ude00""#, nil, #""😀""#),
        (#""trimmed":"  abc\n\u00a0""#, nil, #""abc""#), (#""trimmed":"   ""#, nil, #""""#),
        (#""trimmed":" abcd ""#, "/trimmed", "length"), (#""required":null"#, "/required", "required"),
        // Patterns: as a whole, with ASCII digits.
        (#""pattern":"12ab!""#, nil, #""12ab!""#), (#""pattern":"x12ab!""#, "/pattern", "pattern"),
        (#""pattern":"12ab!\n""#, "/pattern", "pattern"), (#""pattern":"١٢!""#, "/pattern", "pattern"),
        // Whole numbers.
        (#""integer":5"#, nil, "5"), (#""integer":6"#, "/integer", "range"), (#""integer":-6"#, "/integer", "range"),
        (#""integer":1.0"#, nil, "1"), (#""integer":1e0"#, nil, "1"), (#""integer":-0.0"#, nil, "0"),
        (#""integer":1.5"#, "/integer", "type"), (#""integer":"1""#, "/integer", "type"),
        (#""positive":0"#, "/positive", "range"), (#""wide":9223372036854775807"#, nil, "9223372036854775807"),
        (#""wide":-9223372036854775808"#, nil, "-9223372036854775808"),
        (#""wide":9223372036854775808"#, "/wide", "type"), (#""wide":1e19"#, "/wide", "type"),
        (#""wide":1e400"#, "/wide", "type"), (#""wide":9007199254740993.0"#, "/wide", "type"),
        (#""wide":1e15"#, nil, "1000000000000000"), (#""wide":true"#, "/wide", "type"),
        // Other numbers.
        (#""real":2.5"#, nil, "2.5"), (#""real":2"#, nil, "2.0"), (#""real":2.6"#, "/real", "range"),
        (#""number":1e400"#, "/number", "type"), (#""number":-1e400"#, "/number", "type"),
        (#""number":1e-400"#, nil, "0.0"),
        (#""number":1e308"#, nil, "1e+308"), (#""number":12345678901234567890"#, nil, "1.2345678901234567e+19"),
        (#""number":"1""#, "/number", "type"), (#""number":0.1"#, nil, "0.1"),
        // Truth values.
        (#""flag":true"#, nil, "true"), (#""flag":false"#, nil, "false"), (#""flag":1"#, "/flag", "type"),
        (#""flag":"true""#, "/flag", "type"),
        // Moments.
        (#""date":"2026-01-02T03:04:05.6789Z""#, nil, #""2026-01-02T03:04:05.679Z""#),
        (#""date":"2026-01-02T03:04:05+02:00""#, nil, #""2026-01-02T01:04:05.000Z""#),
        (#""date":"2026-01-02""#, "/date", "type"), (#""date":1"#, "/date", "type"),
        (#""date":"9999-12-31T23:59:59.9999Z""#, "/date", "type"),
        (#""date":"0001-01-01T00:00:00+23:59""#, "/date", "type"),
        (#""past":"1970-01-01T00:00:00.001Z""#, "/past", "range"),
        (#""past":"1969-12-31T23:59:59Z""#, nil, #""1969-12-31T23:59:59.000Z""#),
        // Identifiers and choices.
        (#""uuid":"8F14E45F-CEEA-467F-A0E6-5E1F2A3B4C5D""#, nil, #""8f14e45f-ceea-467f-a0e6-5e1f2a3b4c5d""#),
        (#""uuid":"8F14E45FCEEA467FA0E65E1F2A3B4C5D""#, "/uuid", "type"), (#""uuid":"""#, "/uuid", "type"),
        (#""course":"main""#, nil, #""main""#), (#""course":"Main""#, "/course", "choice"),
        (#""course":"caf\u00e9""#, nil, #""café""#), (#""course":"cafe\u0301""#, "/course", "choice"),
        (#""course":null"#, nil, "null"),
        // What is not theirs to set. An excluded field is not there, for all that they can find out.
        (#""hidden":"x""#, "/hidden", "unknown"), (#""nothing":1"#, "/nothing", "unknown"),
        (#""created_at":"2026-01-02T03:04:05Z""#, "/created_at", "read_only"), (#""a/b~c":1"#, "/a~1b~0c", "unknown"),
        (#""text":"ab","text":"ab""#, "/text", "duplicate"), (#""nothing":{"a":[{"b":[1]}]}"#, "/nothing", "unknown"),
        (#""id":"x""#, "/id", "type"),
    ]

    @Test("are what is declared, or there is one fault for each", arguments: StoreProvider.all)
    func table(_ provider: StoreProvider) async throws {
        try await provider.run { database in
            let service = try await Bench(database, [Sample.self]).service("sample")
            for test in Self.cases {
                let call = EntityCall("{\(test.member)}")
                if let pointer = test.pointer {
                    let error = await expectRefusal(.invalid, "\(test.member)") { try await service.create(call) }
                    #expect(error?.faults.map(\.pointer) == [pointer], "\(test.member)")
                    #expect(error?.faults.map(\.code) == [test.result], "\(test.member)")
                } else {
                    let answer = try await service.create(call)
                    let name = try #require(test.member.split(separator: "\"").first.map(String.init))
                    #expect(answer[name].map { Array($0.utf8) } == Array(test.result.utf8), "\(test.member)")
                    #expect(answer["hidden"] == nil)
                    // What is kept is what was answered.
                    let kept = try await service.get(#require(answer.createdID), as: nil)
                    #expect(kept.json == answer.json, "\(test.member)")
                }
            }
        }
    }

    @Test("are told all at once, each in a sentence about the field")
    func messages() async throws {
        try await StoreProvider.sqlite.run { database in
            let service = try await Bench(database, [Sample.self]).service("sample")
            let body = #"""
                {"text": "a", "exact": "a", "integer": 9, "positive": 0, "past": "2026-01-02T03:04:05Z", "course": "x",
                 "pattern": "x", "flag": 1, "uuid": "x", "required": null, "date": "x", "wide": 0.5, "number": ""}
                """#
            let error = await expectRefusal(.invalid) { try await service.create(EntityCall(body)) }
            #expect(
                error?.faults.map { "\($0.pointer) \($0.message)" } == [
                    "/text has 2–4 characters", "/exact has 3 characters", "/integer is -5–5",
                    "/positive is at least 1",
                    "/past is at most 1970-01-01T00:00:00.000Z", "/course is one of starter, main, café",
                    #"/pattern has to match \d{2}\w*."#, "/flag is true or false", "/uuid is a UUID",
                    "/required cannot be null", "/date is a date and time in RFC 3339",
                    "/wide is a whole number of at most 64 bits", "/number is a finite number",
                ]
            )
        }
    }

    @Test("come in an object of JSON")
    func malformed() async throws {
        try await StoreProvider.sqlite.run { database in
            let service = try await Bench(database, [Sample.self]).service("sample")
            let deep = String(repeating: "[", count: 100_000)
            for body in [
                "[]", "1", "null", "\"\"", "{", "{}}", "{\"a\":}", "{'a':1}", "{\"any\":\(deep)", "{\"any\":NaN}", " ",
            ] {
                await expectRefusal(.malformed, "\(body.prefix(20))") { try await service.create(EntityCall(body)) }
            }
            for bytes: [UInt8] in [[0xFF], Array(#"{"any":""#.utf8) + [0xC3, 0x28] + Array("\"}".utf8), [0]] {
                let call = EntityCall(body: bytes)
                await expectRefusal(.malformed, "\(bytes)") { try await service.create(call) }
            }
            await expectRefusal(.malformed) { try await service.create(EntityCall()) }
            #expect(try await service.create(EntityCall("{}")).kind == .created)
        }
    }

    @Test("that are required are missing, or wrong, but not both")
    func required() async throws {
        try await StoreProvider.sqlite.run { database in
            let orders = try await Bench(database).orders
            let missing = await expectRefusal(.invalid) { try await orders.create(EntityCall("{}")) }
            #expect(missing?.faults == [FieldFault(pointer: "/table", code: "required", message: "is missing")])
            let wrong = await expectRefusal(.invalid) { try await orders.create(EntityCall(#"{"table":7}"#)) }
            #expect(wrong?.faults.map(\.code) == ["type"])
        }
    }
}
