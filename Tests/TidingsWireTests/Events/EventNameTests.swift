import TestSupport
import Testing
import TidingsWire

@Suite("EventName")
struct EventNameTests {
    @Test("Valid names", arguments: ["a", "item_added", "status_changed", "UPDATED", "geändert", "v2.created", "🍔"])
    func valid(text: String) throws {
        #expect(try EventName(text).rawValue == text)
        #expect(try EventName(text).description == text)
    }

    @Test("The rules are those of channel names", arguments: try Vectors.cases("channel-names", of: Vector.self))
    func rules(vector: Vector) throws {
        if vector.fault == nil {
            #expect(try EventName(vector.channel.text).rawValue == vector.channel.text)
        } else {
            let error = #expect(throws: WireError.self) { try EventName(vector.channel.text) }
            #expect(error?.code == .badRequest)
            #expect(error?.channel == nil)
        }
    }

    struct Vector: Decodable, Sendable, CustomTestStringConvertible {
        let title: String
        let channel: GeneratedText
        let fault: String?

        var testDescription: String { title }
    }

    @Test("Names that have a meaning")
    func reserved() {
        let names: [EventName] = [.created, .updated, .deleted, .statusChanged, .stale]
        #expect(names.map(\.rawValue) == ["created", "updated", "deleted", "status_changed", "stale"])
    }

    @Test("Reasons of staleness")
    func reasons() {
        let reasons: [StaleReason] = [.gap, .epoch, .lagged, .backendRestored, .setAside]
        #expect(reasons.map(\.rawValue) == ["gap", "epoch", "lagged", "backend_restored", "set_aside"])
    }

    #if os(Linux) || os(macOS)
    @Test("A literal that is no name is a mistake of the programmer")
    func badLiteral() async {
        await #expect(processExitsWith: .failure) {
            let name: EventName = ""
            _ = name
        }
    }
    #endif
}
