import TestSupport
import Testing
import TidingsWire

/// A case of `event-stream.json`.
struct EventStreamVector: Decodable, Sendable, CustomTestStringConvertible {
    let name: String
    let source: ServerMessageVector.Source
    let id: [String]?
    let text: String
    let data: String

    var testDescription: String { name }
}

/// An identifier of `event-stream.json`.
struct LastEventIDVector: Decodable, Sendable {
    let text: String
    let positions: [String]

    struct File: Decodable {
        let identifiers: [LastEventIDVector]
    }
}

@Suite("Server-sent events")
struct EventStreamTests {
    private static func vectors() throws -> [EventStreamVector] { try Vectors.cases("event-stream") }

    private static func lastEventIDs() throws -> [LastEventIDVector] {
        try Vectors.load("event-stream", as: LastEventIDVector.File.self).identifiers
    }

    private func message(_ vector: EventStreamVector) throws -> [UInt8] {
        let event = BroadcastEvent(
            channel: try ChannelName(vector.source.channel),
            name: try EventName(vector.source.event),
            payload: try EventPayload(json: Array(vector.source.payload.utf8))
        )
        let id = try vector.id.map { try LastEventID($0.map { try #require(EventPosition($0)) }).description }
        return EventStreamText.message(Dialect.plain.encode(event), id: id)
    }

    @Test("An event is written as in the vectors", arguments: try vectors())
    func write(vector: EventStreamVector) throws {
        #expect(String(decoding: try message(vector), as: UTF8.self) == vector.text)
    }

    @Test("A reader gets the event back, however the bytes come", arguments: try vectors(), [1, 3, 1000])
    func read(vector: EventStreamVector, piece: Int) throws {
        var reader = EventStreamReader()
        var messages: [EventStreamReader.Message] = []
        let bytes = Array(vector.text.utf8)
        for start in stride(from: 0, to: bytes.count, by: piece) {
            messages += reader.read(bytes[start..<min(start + piece, bytes.count)])
        }
        #expect(messages.map(\.data) == [vector.data])
        #expect(messages.map(\.lastEventID) == [vector.id?.joined(separator: ",") ?? ""])
        let event = Dialect.plain.decodeServerMessage(Array(vector.data.utf8))
        guard case .event(let event) = event else {
            Issue.record("The data is no event.")
            return
        }
        #expect(event.channel.rawValue == vector.source.channel)
        #expect(try JSONTree(event.payload.json) == JSONTree(Array(vector.source.payload.utf8)))
    }

    @Test("An identifier is read position by position", arguments: try lastEventIDs())
    func readIdentifier(vector: LastEventIDVector) {
        #expect(LastEventID(vector.text).positions.map(\.description) == vector.positions)
    }

    @Test("An identifier of any length names a handful of positions")
    func longIdentifier() {
        let text = (0..<10_000).map { "e\($0):1" }.joined(separator: ",")
        #expect(LastEventID(text).positions.count == 64)
        #expect(LastEventID("k3f9:46,o7:12").position(in: "o7") == EventPosition(epoch: "o7", offset: 12))
        #expect(LastEventID("k3f9:46,o7:12").position(in: "o8") == nil)
    }

    @Test("What is no message changes the identifier, the time to come back, or nothing")
    func others() {
        var reader = EventStreamReader()
        #expect(reader.read(EventStreamText.retry(after: .milliseconds(1500))).isEmpty)
        #expect(reader.retry == 1500)
        #expect(reader.read(EventStreamText.id("k3f9:46")).isEmpty)
        #expect(reader.lastEventID == "k3f9:46")
        #expect(reader.read(EventStreamText.comment()).isEmpty)
        #expect(reader.read(EventStreamText.comment("good\nbye")).isEmpty)
        #expect(reader.comments == ["", " goodbye"])
        #expect(reader.read(EventStreamText.idLine("k3f9:47") + EventStreamText.message(Array("{}".utf8))).count == 1)
        #expect(reader.lastEventID == "k3f9:47")
        // One without an identifier leaves it as it was.
        #expect(reader.read(EventStreamText.message(Array("{}".utf8))).map(\.lastEventID) == ["k3f9:47"])
    }
}
