import Testing
import TidingsWire

@Suite("ClientMessage")
struct ClientMessageTests {
    @Test("A message asks for nothing that it was not told to")
    func nothing() {
        let message = ClientMessage()
        #expect(message.id == nil)
        #expect(message.authentication == nil)
        #expect(message.subscribe.isEmpty && message.since.isEmpty && message.unreadableSince.isEmpty)
        #expect(message.unsubscribe.isEmpty && message.refused.isEmpty)
        #expect(message.ping == nil)
        #expect(message.publish == nil)
    }

    @Test("A description tells what is asked for, and neither token nor payload")
    func secrets() throws {
        let message = ClientMessage(
            authentication: "secret",
            subscribe: ["order"],
            unsubscribe: ["contact"],
            ping: 1,
            publish: PublishRequest(channel: "bell", name: "rang", payload: ["secret": "secret"])
        )
        for description in ["\(message)", String(reflecting: message), "\([message])"] {
            #expect(!description.contains("secret"))
            #expect(description.contains("order"))
        }
        #expect("\(message)" == "auth, subscribe order, unsubscribe contact, publish bell rang, ping 1")
    }

    @Test(
        "Descriptions",
        arguments: [
            (ClientMessage(), "nothing"), (ClientMessage(subscribe: ["a", "b"]), "subscribe a b"),
            (ClientMessage(id: 7, ping: 1), "request 7, ping 1"),
            (
                ClientMessage(subscribe: ["a", "b"], since: ["a": EventPosition(epoch: "k3f9", offset: 41)]),
                "subscribe a since k3f9:41 b"
            ),
            (ClientMessage(refused: [WireError(.badChannel, "no", channel: "a b")]), "1 refused"),
        ]
    )
    func descriptions(message: ClientMessage, description: String) {
        #expect("\(message)" == description)
    }

    @Test("A request to publish asks for an event")
    func publishing() {
        let request = PublishRequest(channel: "order", payload: ["entity_id": "1"])
        #expect(request.event == BroadcastEvent(channel: "order", name: .updated, payload: ["entity_id": "1"]))
        #expect(PublishRequest(channel: "bell", name: "rang").event == BroadcastEvent(channel: "bell", name: "rang"))
        #expect("\(request)" == "order updated")
    }
}
