import Foundation
import Testing

@testable import TidingsHTTPTransport

@Suite("What is asked for")
struct APIRequestTests {
    @Test(
        "what is put into a path stays in its place",
        arguments: [
            ("42", "/orders/42"), ("a/b", "/orders/a%2Fb"), ("..", "/orders/.."),
            ("ä ?#%", "/orders/%C3%A4%20%3F%23%25"),
            ("", "/orders/"), ("x~y.z_-", "/orders/x~y.z_-"), ("\n", "/orders/%0A"),
        ]
    )
    func path(_ value: String, _ path: String) {
        let made: APIPath = "/orders/\(value)"
        #expect(made.rawValue == path)
    }

    @Test("the parameters of the query keep their order; those without a value are left out")
    func query() {
        let request = APIRequest(
            .get,
            "/orders",
            query: [("status", "open"), ("status", "a&b=c"), ("sort", nil), ("limit", "5")]
        )
        #expect(request.target == "/orders?status=open&status=a%26b%3Dc&limit=5")
        #expect(APIRequest(.get, "/orders", query: [("sort", nil)]).target == "/orders")
    }

    private struct Change: Codable, Equatable {
        var name: FieldUpdate<String> = .unchanged
        var note: FieldUpdate<String?> = .unchanged
        var due: FieldUpdate<Date> = .unchanged
    }

    @Test("a field that stays as it is is absent, and one that is cleared is null, there and back")
    func fieldUpdates() throws {
        let cases: [(Change, String)] = [
            (Change(), "{}"),
            (Change(name: .to("x")), #"{"name":"x"}"#),
            (Change(note: .to(nil)), #"{"note":null}"#),
            (Change(name: .to(""), note: .to("y")), #"{"name":"","note":"y"}"#),
            (
                Change(due: .to(Date(timeIntervalSince1970: 1_700_000_000.25))),
                #"{"due":"2023-11-14T22:13:20.250Z"}"#
            ),
        ]
        for (change, json) in cases {
            let request = try APIRequest(.patch, "/x", body: change)
            #expect(String(decoding: request.body, as: UTF8.self) == json)
            #expect(try JSONDecoder.api.decode(Change.self, from: Data(request.body)) == change)
        }
        var note: String? = "old"
        FieldUpdate<String?>.unchanged.apply(to: &note)
        #expect(note == "old")
        FieldUpdate<String?>.to(nil).apply(to: &note)
        #expect(note == nil)
    }

    @Test("a version is one more member of the body")
    func versions() throws {
        let change = Change(note: .to("x"))
        func json(_ version: Int64?) throws -> String {
            let request = try APIRequest(.patch, "/x", body: VersionedBody(change, version: version))
            #expect(request.headers[.contentType] == "application/json")
            return String(decoding: request.body, as: UTF8.self)
        }
        #expect(try json(7) == #"{"note":"x","version":7}"#)
        #expect(try json(nil) == #"{"note":"x"}"#)
    }

    @Test("what cannot be encoded is an error before anything is sent")
    func unencodable() {
        let error = #expect(throws: APIError.self) { try APIRequest(.post, "/x", body: ["x": Double.nan]) }
        #expect(error?.code == .badRequest)
    }

    @Test("a date that came is sent as it came, to the millisecond")
    func datesComeBack() throws {
        let texts = (0..<1_000).map { "2026-09-21T14:13:43.\(String(1_000 + $0).dropFirst())Z" }
        let dates = try JSONDecoder.api.decode([Date].self, from: try JSONEncoder().encode(texts))
        #expect(try JSONDecoder().decode([String].self, from: try JSONEncoder.api.encode(dates)) == texts)
    }

    @Test("dates come with and without a fraction", arguments: ["2023-11-14T22:13:20Z", "2023-11-14T22:13:20.000Z"])
    func dates(_ text: String) throws {
        let date = try JSONDecoder.api.decode([Date].self, from: Data("[\"\(text)\"]".utf8))
        #expect(date == [Date(timeIntervalSince1970: 1_700_000_000)])
        #expect(throws: DecodingError.self) { try JSONDecoder.api.decode([Date].self, from: Data(#"["today"]"#.utf8)) }
    }
}
