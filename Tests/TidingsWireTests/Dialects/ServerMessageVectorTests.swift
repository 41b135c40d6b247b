import TestSupport
import Testing

@testable import TidingsWire

@Suite("What a server says, in each dialect")
struct ServerMessageVectorTests {
    private static func vectors() throws -> [ServerMessageVector] { try ServerMessageVector.all() }

    @Test("A message is read", arguments: try vectors())
    func decode(vector: ServerMessageVector) throws {
        let message = vector.dialect.decodeServerMessage(vector.text)
        guard let expected = vector.content.message else {
            #expect(message == nil)
            return
        }
        switch try #require(message) {
        case .event(let event): try check(event, expected)
        case .reply(let reply): try check(reply, expected)
        case .error(let error, let id):
            #expect(expected.type == "error")
            #expect(id == expected.id?.value)
            #expect(error.code.rawValue == expected.code)
            #expect(error.message == expected.message)
            #expect(error.channel == expected.channel)
        case .welcome(let welcome):
            #expect(expected.type == "welcome")
            #expect(welcome.connection == expected.connection)
            #expect(welcome.server == expected.server)
            #expect(welcome.heartbeat == expected.heartbeat.map { .milliseconds($0) })
            #expect(identity(of: welcome.authenticated) == expected.authenticated)
        case .draining(let time):
            #expect(expected.type == "draining")
            #expect(time == expected.reconnectWithin.map { .milliseconds($0) })
        }
    }

    private func check(_ event: BroadcastEvent, _ expected: ServerMessageVector.Message) throws {
        #expect(expected.type == "event")
        #expect(event.channel.rawValue == expected.channel)
        #expect(event.name.rawValue == expected.event)
        #expect(try JSONTree(event.payload.json) == expected.payload)
        #expect(event.position?.description == expected.position)
        #expect(event.spread == expected.spread.map { .milliseconds($0) })
        #expect(event.time.flatMap(Timestamp.text) == expected.time)
        #expect(event.traceID == expected.traceID)
    }

    private func check(_ reply: ServerReply, _ expected: ServerMessageVector.Message) throws {
        switch expected.type {
        case "reply": checkAll(of: reply, expected)
        case "pong": #expect(reply == ServerReply(pong: expected.value ?? 0))
        case "authenticated": #expect(reply == ServerReply(authenticated: Authenticated()))
        case "subscribed":
            let channel = try ChannelName(try #require(expected.channel))
            #expect(reply == ServerReply(subscribed: [SubscribedChannel(channel: channel)]))
        case "unsubscribed":
            let channel = try ChannelName(try #require(expected.channel))
            #expect(reply == ServerReply(unsubscribed: [channel]))
        default: Issue.record("A reply is not of the type \(expected.type).")
        }
    }

    private func checkAll(of reply: ServerReply, _ expected: ServerMessageVector.Message) {
        #expect(reply.id == expected.id?.value)
        let subscribed = reply.subscribed.map {
            ServerMessageVector.Subscribed(
                channel: $0.channel.rawValue,
                position: $0.position?.description,
                recovered: $0.recovered,
                spread: $0.spread?.wireMilliseconds
            )
        }
        #expect(subscribed == expected.subscribed)
        let refused = reply.refused.map {
            ServerMessageVector.Refused(code: $0.code.rawValue, message: $0.message, channel: $0.channel)
        }
        #expect(refused == expected.refused)
        #expect(reply.unsubscribed.map(\.rawValue) == expected.unsubscribed)
        #expect(reply.published?.description == expected.published)
        #expect(identity(of: reply.authenticated) == expected.authenticated)
        #expect(reply.pong == expected.pong)
    }

    private func identity(of authenticated: Authenticated?) -> ServerMessageVector.Identity? {
        authenticated.map {
            ServerMessageVector.Identity(subject: $0.subject, expiresAt: $0.expiresAt.flatMap(Timestamp.text))
        }
    }

    @Test(
        "A message is written as it was read",
        arguments: try vectors().filter { $0.content.message != nil && $0.content.encodable != false }
    )
    func encode(vector: ServerMessageVector) throws {
        let message = try #require(vector.dialect.decodeServerMessage(vector.text))
        let texts = vector.dialect.encode(message).map { String(decoding: $0, as: UTF8.self) }
        #expect(texts == [vector.content.text])
    }

    @Test("An event is written as in the vectors", arguments: try vectors().filter { $0.content.source != nil })
    func source(vector: ServerMessageVector) throws {
        let source = try #require(vector.content.source)
        var event = BroadcastEvent(
            channel: try ChannelName(source.channel),
            name: try EventName(source.event),
            payload: try EventPayload(json: Array(source.payload.utf8))
        )
        event.time = source.time.flatMap(Timestamp.date)
        event.traceID = source.traceID
        event.position = EventPosition(epoch: "k3f9", offset: 46)
        event.spread = .milliseconds(250)
        let text = source.frame == "flat" ? FeedFrame.flat.encode(event) : vector.dialect.encode(event)
        #expect(String(decoding: text, as: UTF8.self) == vector.content.text)
    }
}
