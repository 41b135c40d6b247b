import TidingsBroadcast
import TidingsHummingbird

/// Stands for what an application knows of its services.
protocol SystemMonitor: Sendable {
    func status() async throws -> SystemStatus
    func visitors() async throws -> Int
}

struct SystemStatus: Codable, Sendable {
    var api: String
    var workers: Int
}

/// Stands for an application's workflows.
protocol Workflows: Sendable {
    func current() async throws -> [Workflow]
    func finish(_ name: String) async throws
}

struct Workflow: Codable, Sendable {
    var name: String
    var phase: String
}

// snippet: queue-value
struct QueueChange: Codable, Sendable {
    var queueID: String
    var status: String

    enum CodingKeys: String, CodingKey {
        case queueID = "queue_id"
        case status
    }
}
// end

func declareStatus(broadcast: WebSocketBroadcastBackend, monitor: any SystemMonitor) throws -> BroadcastEndpoints {
    // snippet: status
    let feeds = FeedRegistry(broadcast)
    try feeds.declare("system_status", .polling(every: .seconds(15)) { try await monitor.status() })

    var endpoints = BroadcastEndpoints()
    endpoints.feeds = feeds
    // end
    return endpoints
}

func declareQueue(at feeds: FeedRegistry) throws -> Feed<QueueChange> {
    // snippet: queue
    let queue = try feeds.declare("queue", .events(of: QueueChange.self).frame(.flat))
    // end
    return queue
}

// snippet: queue-event
func phaseCompleted(_ id: String, tell queue: Feed<QueueChange>) async throws {
    try await queue.send(QueueChange(queueID: id, status: "completed"))
}
// end

func declareWorkflows(at feeds: FeedRegistry, _ workflows: any Workflows) throws -> Feed<[Workflow]> {
    // snippet: workflow
    let workflow = try feeds.declare("workflow", .hybrid(every: .seconds(10)) { try await workflows.current() })
    // end
    return workflow
}

func finish(_ workflows: any Workflows, tell workflow: Feed<[Workflow]>) async throws {
    // snippet: workflow-event
    try await workflows.finish("import")
    try await workflow.send(try await workflows.current())
    // end
}

func declareVisitors(at feeds: FeedRegistry, _ monitor: any SystemMonitor) throws {
    // snippet: visitors
    try feeds.declare(
        "visitors",
        .conditional(
            every: .seconds(5),
            isSignificant: { old, new in abs(new - old) * 10 > old },
            { try await monitor.visitors() }
        )
    )
    // end
}

func declareFast(at feeds: FeedRegistry, _ monitor: any SystemMonitor) throws {
    // snippet: fast
    try feeds.declare(
        "cursor",
        .polling(every: .milliseconds(200), evenBelowOneSecond: true) { try await monitor.visitors() }
    )
    // end
}
