import FoundationEssentials
import Testing
import TidingsEntities
import TidingsWire

@Suite("What OpenAPI documents tell generators")
struct OpenAPISyncTests {
    @Test("channels, events and the entity stand at its first path, and nowhere else")
    func sync() throws {
        let document = try DescribedDocument()
        let carriers = document.paths.filter { $0.value["x-sync"] != nil }.map(\.name)
        #expect(carriers == ["/orders", "/menu_items", "/settings"])
        let expected = """
            {
                "local_first": true,
                "broadcast": {
                    "channel": "order",
                    "events": [
                        "created", "updated", "deleted", "status_changed", "item_added", "item_updated", "item_removed"
                    ],
                    "channels": ["order", "order:{id}", "table:{table}"], "delivery": "signal", "payload": "hint"
                },
                "entity": {
                    "name": "order", "plural": "orders", "id": "id", "version": "version", "state": "status",
                    "list": "items"
                }
            }
            """
        #expect(try document.root["paths"]?["/orders"]?["x-sync"] == .parsed(expected))
    }

    @Test("what is declared takes the place of what is usual")
    func declared() throws {
        let sync = try DescribedDocument().root["paths"]?["/menu_items"]?["x-sync"]
        let expected = """
            {
                "channel": "menu_item", "events": ["created", "updated", "sold_out"], "channels": ["menu_item"],
                "delivery": "stream", "payload": "entity"
            }
            """
        #expect(try sync?["broadcast"] == .parsed(expected))
    }

    @Test("something that there is one of has no list, and is not created")
    func singleton() throws {
        let sync = try DescribedDocument().root["paths"]?["/settings"]?["x-sync"]
        #expect(try sync?["entity"] == .parsed(#"{"name": "settings", "id": "id"}"#))
        #expect(sync?["broadcast"]?["events"]?.strings == ["updated"])
        #expect(sync?["broadcast"]?["channels"]?.strings == ["settings", "settings:{id}"])
    }

    @Test("states are told in their order, with what may follow each, and with nothing where they end")
    func states() throws {
        let document = try DescribedDocument()
        let expected = """
            {
                "field": "status", "initial": "open",
                "transitions": {
                    "open": ["preparing", "cancelled"], "preparing": ["ready", "cancelled"], "ready": ["served"],
                    "served": [], "cancelled": []
                }
            }
            """
        #expect(try document.root["paths"]?["/orders"]?["x-states"] == .parsed(expected))
        #expect(document.paths.filter { $0.value["x-states"] != nil }.map(\.name) == ["/orders"])
    }

    @Test("children's states stand at the children's path; without a channel for all there is none to name")
    func children() throws {
        let document = try DescribedDocument([Trip.self])
        let broadcast = document.root["paths"]?["/trips"]?["x-sync"]?["broadcast"]
        #expect(broadcast?["channel"] == nil)
        #expect(broadcast?["channels"]?.strings == ["trip:{id}"])
        let events = ["created", "updated", "deleted", "leg_added", "leg_updated", "leg_removed"]
        #expect(broadcast?["events"]?.strings == events)
        #expect(document.root["paths"]?["/trips/{id}/legs"]?["x-states"]?["initial"] == .string("planned"))
        #expect(document.root["paths"]?["/trips"]?["x-states"] == nil)
        let update = try #require(document.operation("updateTripLeg"))
        #expect(update.path == "/trips/{id}/legs/{leg_id}")
        let conflict = update.node["responses"]?["409"]?["content"]?["application/problem+json"]?["schema"]
        let current = conflict.flatMap(document.resolved)?["properties"]?["current"]?["anyOf"]?.elements
        #expect(current?.compactMap(document.resolved) == ["Leg", "Trip"].compactMap(document.schema))
        #expect(document.schema("LegCreate")?["properties"]?.names == ["id", "place"])
    }

    private struct Trip: Entity {
        @Key var id: UUID
        @Children var legs: [Leg]

        static let broadcast = EntityBroadcast<Trip>(channels: [.one])
    }

    private struct Leg: Entity {
        @Key var id: UUID
        @Field var place: String
        @Field var progress: Progress
    }

    private enum Progress: String, EntityState {
        case planned, done

        static let states = EntityStates<Progress>(initial: .planned, [.planned: [.done]])
    }
}
