import Synchronization
import TestSupport
import Testing
import TidingsEntities

@Suite("A line lets so many in at once", .timeLimit(.patience))
struct WaitingLineTests {
    @Test("whoever comes while there is a place gets it, and others wait until somebody leaves")
    func places() async throws {
        let line = WaitingLine(places: 2, limit: .seconds(30), bound: 10)
        try await line.enter()
        try await line.enter()
        let third = Task { try await line.enter() }
        while line.waiting == 0 { await Task.yield() }
        line.leave()
        try await third.value
        #expect(line.waiting == 0)
    }

    @Test("those who wait get in in the order in which they came")
    func order() async throws {
        let line = WaitingLine(places: 1, limit: .seconds(30), bound: 10)
        try await line.enter()
        let (entered, enter) = AsyncStream<Int>.makeStream()
        var tasks: [Task<Void, any Error>] = []
        for number in 0..<5 {
            tasks.append(
                Task {
                    try await line.enter()
                    enter.yield(number)
                }
            )
            while line.waiting <= number { await Task.yield() }
        }
        var numbers = entered.makeAsyncIterator()
        for number in 0..<5 {
            line.leave()
            #expect(await numbers.next() == number)
        }
        for task in tasks { try await task.value }
    }

    @Test("whoever waits too long, or comes when too many wait, is told so")
    func limits() async throws {
        let line = WaitingLine(places: 1, limit: .milliseconds(50), bound: 1)
        try await line.enter()
        let waiting = Task { try await line.enter() }
        while line.waiting == 0 { await Task.yield() }
        let tooMany = await #expect(throws: StoreError.self) { try await line.enter() }
        #expect(tooMany?.code == .timeout)
        let tooLong = await #expect(throws: StoreError.self) { try await waiting.value }
        #expect(tooLong?.code == .timeout)
        #expect(line.waiting == 0)
        line.leave()
        try await line.enter()
    }

    @Test("a cancelled task neither gets in nor takes anybody's place")
    func cancellation() async throws {
        let line = WaitingLine(places: 1, limit: .seconds(30), bound: 10)
        try await line.enter()
        let first = Task { try await line.enter() }
        while line.waiting < 1 { await Task.yield() }
        let second = Task { try await line.enter() }
        while line.waiting < 2 { await Task.yield() }
        first.cancel()
        await #expect(throws: CancellationError.self) { try await first.value }
        line.leave()
        try await second.value
    }

    @Test("closing refuses those who wait and who come, and waits for those who are in")
    func closing() async throws {
        let line = WaitingLine(places: 1, limit: .seconds(30), bound: 10)
        try await line.enter()
        let waiting = Task { try await line.enter() }
        while line.waiting == 0 { await Task.yield() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            let closed = Closed()
            group.addTask {
                await line.close()
                closed.set()
            }
            let refused = await #expect(throws: StoreError.self) { try await waiting.value }
            #expect(refused?.code == .closed)
            #expect(!closed.isSet)
            line.leave()
            try await group.waitForAll()
            #expect(closed.isSet)
        }
        let late = await #expect(throws: StoreError.self) { try await line.enter() }
        #expect(late?.code == .closed)
        await line.close()
    }

    @Test("with many at once, who come, go, give up and are too late, every place comes back")
    func storm() async throws {
        let line = WaitingLine(places: 3, limit: .milliseconds(2), bound: 50)
        let inside = Counter()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<600 {
                group.addTask {
                    let task = Task {
                        try await line.enter()
                        inside.change(by: 1)
                        await Task.yield()
                        inside.change(by: -1)
                        line.leave()
                    }
                    if number.isMultiple(of: 3) { task.cancel() }
                    _ = await task.result
                }
            }
        }
        #expect(inside.most <= 3)
        #expect(line.waiting == 0)
        for _ in 0..<3 { try await line.enter() }
        for _ in 0..<3 { line.leave() }
        await line.close()
    }
}

private final class Closed: Sendable {
    private let state = Mutex(false)

    var isSet: Bool { state.withLock { $0 } }

    func set() { state.withLock { $0 = true } }
}

private final class Counter: Sendable {
    private let state = Mutex((now: 0, most: 0))

    var most: Int { state.withLock { $0.most } }

    func change(by number: Int) {
        state.withLock { state in
            state.now += number
            state.most = max(state.most, state.now)
        }
    }
}
