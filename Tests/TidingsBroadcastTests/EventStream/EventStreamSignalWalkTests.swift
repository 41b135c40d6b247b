import NIOEmbedded
import TestSupport
import Testing
import TidingsWire

@testable import TidingsBroadcast

@Suite("An event stream of signals that is read slowly and breaks")
struct EventStreamSignalWalkTests {
    private static let channels: [ChannelName] = ["a", "b", "c"]

    /// What a page shows of each channel's entities.
    private struct Page {
        var lastEventID = ""
        var versions: [ChannelName: [String: Int]] = [:]
        var truth: [ChannelName: [String: Int]] = [:]

        /// An event is a hint: what it is about, and how new that is.
        mutating func read(_ message: EventStreamReader.Message) throws {
            let event = try #require(message.event)
            if event.isStale {
                versions[event.channel] = truth[event.channel]
            } else {
                let (entity, version) = (try #require(event.payload.entityID), try #require(message.version))
                versions[event.channel, default: [:]][entity] = version
            }
            if !message.lastEventID.isEmpty { lastEventID = message.lastEventID }
        }

        /// Who comes without an identifier has just loaded everything.
        mutating func load() {
            if lastEventID.isEmpty { versions = truth }
        }
    }

    @Test("shows the newest version of everything when all was read", arguments: 0..<100 as Range<UInt64>)
    func walk(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var configuration = BroadcastHub.Configuration()
        configuration.pendingSignalsPerChannel = 4
        configuration.eventsAwaitingDelivery = random.once(in: 2) ? 10 : 1000
        let (hub, loop) = (BroadcastHub(configuration: configuration), EmbeddedEventLoop())
        var page = Page()
        var client = try StreamClient(hub, loop, hearing: Self.channels)
        for version in 1...400 {
            switch random.number(in: 0...11) {
            case 0...6:
                let entity = "\(random.number(in: 1...8))"
                var told = Self.channels.shuffled(using: &random)
                told.removeLast(random.number(in: 0...2))
                for channel in told { page.truth[channel, default: [:]][entity] = version }
                let payload: EventPayload = ["entity_id": .string(entity), "version": .integer(version)]
                let event = BroadcastEvent(channel: told[0], name: .updated, payload: payload)
                try hub.publish(event, alsoOn: Array(told.dropFirst()))
            case 7, 8: loop.run()
            case 9: client.setWritable(random.once(in: 3))
            case 10: try read(client, all: true, &page, &random)
            default:
                // The connection breaks behind any message.
                try read(client, all: false, &page, &random)
                try client.drop()
                client = try StreamClient(
                    hub,
                    loop,
                    hearing: Self.channels,
                    after: page.lastEventID.isEmpty ? nil : page.lastEventID
                )
                page.load()
            }
        }
        client.setWritable(true)
        loop.run()
        try read(client, all: true, &page, &random)
        #expect(page.versions == page.truth)
    }

    private func read(
        _ client: StreamClient,
        all: Bool,
        _ page: inout Page,
        _ random: inout SeededGenerator
    ) throws {
        let messages = try client.receive()
        let count = all ? messages.count : random.number(in: 0...messages.count)
        for message in messages.prefix(count) { try page.read(message) }
        if count == messages.count, !client.reader.lastEventID.isEmpty { page.lastEventID = client.reader.lastEventID }
    }
}

extension EventStreamReader.Message {
    private struct Content: Decodable {
        let version: Int
    }

    fileprivate var version: Int? { event.flatMap { try? $0.payload.decode(Content.self).version } }
}
