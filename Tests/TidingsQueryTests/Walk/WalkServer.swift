import Synchronization
import TestSupport

@testable import TidingsQuery

/// A server that others change too. It reads at one moment and its answer arrives at another; what it is asked to change,
/// it changes or refuses at one moment, and says so at another.
final class WalkServer {
    typealias Items = [Int: Int]

    struct Page: Codable, Hashable, Sendable {
        var items: [Int]
        var next: Int?
    }

    /// Puts an item into one of the maps, or into all of them.
    struct Change: Codable, Hashable, Sendable {
        let item: Int
        /// Nil is all.
        let map: Int?

        func isAbout(_ other: Int) -> Bool { map == nil || map == other }
    }

    enum Fate {
        case applied
        case refused
    }

    /// Requests of one kind, with what they ask for.
    final class Line<Question: Sendable, Answer: Sendable>: Sendable {
        private let server = FakeServer<Answer>()
        private let questions = Mutex<[Question]>([])

        func ask(_ question: Question) async throws -> Answer {
            questions.withLock { $0.append(question) }
            return try await server.request()
        }

        var calls: [(question: Question, call: FakeServer<Answer>.Call)] {
            Array(zip(questions.withLock { $0 }, server.calls))
        }
    }

    struct Sent: Sendable {
        let change: Change
        let idempotencyKey: String
        /// Which process of the client sent it.
        let process: Int
    }

    let maps = Line<Int, Items>()
    let pages = Line<Int, Page>()
    let changes = Line<Sent, Int>()
    static let mapCount = 3
    private static let pageSize = 2

    private(set) var truth = [Items](repeating: [0: 0], count: mapCount)
    private(set) var list = Array(0..<7)
    /// Changes of others, and of processes that are gone, that the client was not told of.
    var events: [QueryKey] = []
    /// The process of the client that lives.
    var process = 0
    /// What was given up by the client, which learns of it like of the changes of others.
    var discarded: Set<String> = []
    private var fates: [String: Fate] = [:]
    private var readMaps: [Int: Items] = [:]
    private var readPages: [Int: Page] = [:]

    func page(_ cursor: Int) -> Page {
        let end = min(cursor + Self.pageSize, list.count)
        return Page(items: Array(list[min(cursor, end)..<end]), next: end < list.count ? end : nil)
    }

    /// The first pages of the list.
    func firstPages(_ count: Int) -> [Page] {
        var found = [page(0)]
        while found.count < count, let next = found.last?.next { found.append(page(next)) }
        return found
    }

    // MARK: What others do

    func changeByOthers(_ random: inout SeededGenerator) {
        if random.once(in: 3) {
            let place = random.number(in: 0...list.count)
            if random.once(in: 2), place < list.count, list.count > 3 {
                list.remove(at: place)
            } else {
                list.insert((list.max() ?? 0) + 1, at: place)
            }
            events.append(["pages"])
        } else {
            let map = random.number(in: 0...Self.mapCount - 1)
            truth[map][0, default: 0] += 1
            events.append(["items", .integer(map)])
        }
    }

    // MARK: Reading

    /// Reads for one of the requests that wait.
    func read(_ random: inout SeededGenerator) {
        let waitingMaps = waiting(maps, readMaps)
        let waitingPages = waiting(pages, readPages)
        if let index = waitingMaps.randomElement(using: &random), waitingPages.isEmpty || random.once(in: 2) {
            readMaps[index] = truth[maps.calls[index].question]
        } else if let index = waitingPages.randomElement(using: &random) {
            readPages[index] = page(pages.calls[index].question)
        }
    }

    /// Reads for all requests that wait.
    func readAll() {
        for index in waiting(maps, readMaps) { readMaps[index] = truth[maps.calls[index].question] }
        for index in waiting(pages, readPages) { readPages[index] = page(pages.calls[index].question) }
    }

    private func waiting<Answer>(_ line: Line<Int, Answer>, _ read: [Int: Answer]) -> [Int] {
        line.calls.indices.filter { read[$0] == nil && !line.calls[$0].call.isAnswered }
    }

    /// Answers one of the requests that were read for.
    func answerRead(_ random: inout SeededGenerator) {
        let isFailure = random.once(in: 6)
        let ready = maps.calls.indices.filter { readMaps[$0] != nil && !maps.calls[$0].call.isAnswered }
        let readyPages = pages.calls.indices.filter { readPages[$0] != nil && !pages.calls[$0].call.isAnswered }
        if let index = ready.randomElement(using: &random), readyPages.isEmpty || random.once(in: 2) {
            answer(maps.calls[index].call, isFailure ? nil : readMaps[index])
        } else if let index = readyPages.randomElement(using: &random) {
            answer(pages.calls[index].call, isFailure ? nil : readPages[index])
        }
    }

    private func answer<Answer>(_ call: FakeServer<Answer>.Call, _ answer: Answer?) {
        if let answer { call.succeed(answer) } else { call.fail() }
    }

    // MARK: Changing

    func decide(_ random: inout SeededGenerator) {
        let open = changes.calls.filter { fates[$0.question.idempotencyKey] == nil }
        guard let sent = open.randomElement(using: &random)?.question else { return }
        decide(sent, random.once(in: 3) ? .refused : .applied)
    }

    private func decide(_ sent: Sent, _ fate: Fate) {
        fates[sent.idempotencyKey] = fate
        guard fate == .applied else { return }
        for map in truth.indices where sent.change.isAbout(map) { truth[map][sent.change.item] = sent.change.item }
        // Its own client knows it from the answer, if it still waits for one.
        if sent.process != process || discarded.contains(sent.idempotencyKey) { events.append(["items"]) }
    }

    func answerChange(_ random: inout SeededGenerator) {
        let ready = changes.calls.filter { fates[$0.question.idempotencyKey] != nil && !$0.call.isAnswered }
        if let (sent, call) = ready.randomElement(using: &random) { answer(sent, call) }
    }

    private func answer(_ sent: Sent, _ call: FakeServer<Int>.Call) {
        answer(call, fates[sent.idempotencyKey] == .applied ? 1 : nil)
    }

    /// Changes of one map are sent one after the other, as far as the client waits for them.
    func complaints() -> [String] {
        let waiting = changes.calls.filter { sent, call in
            !call.isAnswered && sent.process == process && !discarded.contains(sent.idempotencyKey)
        }
        let maps = waiting.compactMap(\.question.change.map)
        return Set(maps).count == maps.count ? [] : ["changes of one map are sent beside each other"]
    }

    /// What was refused may be asked for once more.
    func forgetRefusal(_ idempotencyKey: String) {
        if fates[idempotencyKey] == .refused { fates[idempotencyKey] = nil }
    }

    // MARK: The end

    /// Answers everything that waits.
    func answerAll() {
        for (sent, call) in changes.calls where !call.isAnswered {
            if fates[sent.idempotencyKey] == nil { decide(sent, .applied) }
            answer(sent, call)
        }
        for (index, (map, call)) in maps.calls.enumerated() where !call.isAnswered {
            call.succeed(readMaps[index] ?? truth[map])
        }
        for (index, (cursor, call)) in pages.calls.enumerated() where !call.isAnswered {
            call.succeed(readPages[index] ?? page(cursor))
        }
    }

    var isQuiet: Bool {
        changes.calls.allSatisfy { $0.call.isAnswered } && maps.calls.allSatisfy { $0.call.isAnswered }
            && pages.calls.allSatisfy { $0.call.isAnswered }
    }
}
