import Testing
import TidingsWire

@Suite("The name of a feed")
struct FeedNameTests {
    @Test("Name and channel belong to each other", arguments: ["system_status", "a", "küche:7", "feed:a", "_update"])
    func names(name: String) throws {
        let feed = try FeedName(name)
        #expect(feed.rawValue == name)
        #expect(feed.channel.rawValue == "feed:" + name)
        #expect(FeedName(channel: feed.channel) == feed)
        #expect(FeedName(channel: feed.channel)?.rawValue == name)
    }

    @Test("What is no channel's name is no feed's", arguments: ["", "a b", "a\n", String(repeating: "a", count: 251)])
    func refused(name: String) {
        let error = #expect(throws: WireError.self) { try FeedName(name) }
        #expect(error?.code == .badChannel)
    }

    @Test("A name has up to 250 bytes")
    func longest() throws {
        #expect(try FeedName(String(repeating: "a", count: 250)).channel.rawValue.utf8.count == 255)
    }

    @Test("Other channels tell no feed", arguments: ["order", "feed", "feed:", "Feed:a", "feedback:a", "a:feed:b"])
    func others(channel: ChannelName) {
        #expect(FeedName(channel: channel) == nil)
    }

    @Test("Names that look alike are two")
    func bytes() throws {
        #expect(FeedName("e\u{301}") != FeedName("é"))
        #expect(Set(["a", "a", "b"] as [FeedName]).count == 2)
    }
}

@Suite("A feed's frame")
struct FeedFrameTests {
    @Test(
        "What a flat frame cannot hold has a sentence about it",
        arguments: [#"{"data":1}"#, #"{"data":null}"#, #"{"data":[{}]}"#, #"{"data":{"type":1}}"#, #"{"other":{}}"#]
    )
    func faults(payload: String) throws {
        let payload = try EventPayload(json: Array(payload.utf8))
        #expect(FeedFrame.flat.fault(in: payload)?.isEmpty == false)
        #expect(FeedFrame.data.fault(in: payload) == nil)
    }

    @Test("A flat value has up to 255 members: with the type, what a message may have", arguments: [255, 256])
    func members(count: Int) throws {
        let members = (0..<count).map { "\"m\($0)\":\($0)" }.joined(separator: ",")
        let payload = try EventPayload(json: Array("{\"data\":{\(members)}}".utf8))
        #expect((FeedFrame.flat.fault(in: payload) == nil) == (count == 255))
        let event = BroadcastEvent(channel: "feed:wide", name: FeedName.eventName, payload: payload)
        // Too wide for a flat frame, it is written with `data` and still understood.
        #expect(Dialect.feed.decodeServerMessage(FeedFrame.flat.encode(event)) == .event(event))
    }

    @Test("The deepest payload fits", arguments: [FeedFrame.data, .flat])
    func depth(frame: FeedFrame) throws {
        let arrays = WireLimits.payloadDepth - 2
        let nested = String(repeating: "[", count: arrays) + String(repeating: "]", count: arrays)
        let payload = try EventPayload(json: Array("{\"data\":{\"a\":\(nested)}}".utf8))
        let event = BroadcastEvent(channel: "feed:deep", name: FeedName.eventName, payload: payload)
        #expect(Dialect.feed.decodeServerMessage(frame.encode(event)) == .event(event))
    }
}
