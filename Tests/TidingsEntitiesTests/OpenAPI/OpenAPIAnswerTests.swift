import Foundation
import TestSupport
import Testing
import TidingsEntities
import TidingsSQLite
import TidingsWire

@Suite("Answers are what OpenAPI documents say", .timeLimit(.patience))
struct OpenAPIAnswerTests {
    @Test("lists, what is in them, and what happened to it have the described members")
    func answers() async throws {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let store = try SQLiteEntityStore(path: folder.file("orders.sqlite"))
        let entities = try Entities(DescribedRestaurant.entities, in: store)
        try await entities.prepare()
        let orders = try #require(entities.services.first { $0.name == "order" })
        let created = try await orders.create(EntityCall(body: Array(#"{"table": "7"}"#.utf8)))
        let id = try #require(created.createdID)
        let list = try await orders.list([], as: nil)
        let history = try await orders.history(of: id, [], as: nil)
        await store.close()

        let document = try DescribedDocument()
        try expect(created.json, toBe: document.schema("Order"))
        try expect(list.json, toBe: document.schema("OrderList"))
        try expect(history.json, toBe: document.schema("OrderHistory"))
        let event = try #require(JSONNode(parsing: history.json, maximumDepth: 16)["items"]?.elements.first)
        try expect(event.json, toBe: document.schema("AuditEvent"))
    }

    private func expect(_ json: [UInt8], toBe schema: JSONNode?) throws {
        let names = try JSONNode(parsing: json, maximumDepth: 16).names
        #expect(!names.isEmpty)
        #expect(names == schema?["properties"]?.names)
        #expect(names == schema?["required"]?.strings)
    }
}
