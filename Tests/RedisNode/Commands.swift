import Foundation
import Synchronization
import TidingsBroadcast
import TidingsWire

extension RedisNodeProgram {
    /// Does what a line says.
    static func obey(_ line: String, _ broadcast: WebSocketBroadcastBackend) async {
        let words = line.split(separator: " ", maxSplits: 3).map(String.init)
        do {
            switch (words.first, words.count) {
            case ("publish", 4):
                let event = BroadcastEvent(
                    channel: try ChannelName(words[1]),
                    name: try EventName(words[2]),
                    payload: try EventPayload(json: Array(words[3].utf8))
                )
                try await broadcast.broadcast(event)
                say("published")
            case ("flood", 4):
                let numbers = words[3].split(separator: " ").compactMap { Int($0) }
                guard let count = Int(words[2]), numbers.count == 2 else { return say("what?") }
                let seconds = try await flood(broadcast, words[1], count, bytes: numbers[0], tasks: numbers[1])
                say("flooded \(seconds)")
            case ("hear", 3):
                guard let count = Int(words[2]) else { return say("what?") }
                try await hear(broadcast, try ChannelName(words[1]), count)
            case ("cpu", 1):
                say("cpu \(processorSeconds)")
            default:
                say("what?")
            }
        } catch {
            say("failed \(error)")
        }
    }

    private static func flood(
        _ broadcast: WebSocketBroadcastBackend,
        _ channel: String,
        _ count: Int,
        bytes: Int,
        tasks: Int
    ) async throws -> Double {
        let payload: EventPayload = ["pad": .string(String(repeating: "x", count: bytes))]
        let event = BroadcastEvent(channel: try ChannelName(channel), name: "updated", payload: payload)
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<tasks {
                group.addTask { for _ in 0..<count / tasks { try await broadcast.broadcast(event) } }
            }
            try await group.waitForAll()
        }
        return (ContinuousClock.now - start) / .seconds(1)
    }

    private static func hear(_ broadcast: WebSocketBroadcastBackend, _ channel: ChannelName, _ count: Int) async throws
    {
        let (events, continuation) = AsyncStream.makeStream(of: Void.self)
        let heard = Atomic(0)
        let subscription = try await broadcast.subscribe(to: channel) { _ in
            if heard.add(1, ordering: .relaxed).newValue == count { continuation.finish() }
        }
        say("hearing")
        for await _ in events {}
        await broadcast.unsubscribe(subscription)
        say("heard")
    }

    private static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1_000_000_000
    }
}
