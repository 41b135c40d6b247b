import TidingsWire

/// What the sessions of one event loop count. Touched on the loop only: counting takes no lock, and what all loops have
/// counted is added up when somebody asks.
final class ShardCounters {
    var delivered = 0
    var superseded = 0
    var collapsed = 0
    var closed: [CloseCode: Int] = [:]
    var broadcastDuration = DurationHistogram()

    func ended(_ code: CloseCode) {
        closed[code, default: 0] += 1
    }

    func add(to statistics: inout HubStatistics) {
        statistics.delivered += delivered
        statistics.superseded += superseded
        statistics.collapsed += collapsed
        statistics.closed.merge(closed) { $0 + $1 }
        statistics.broadcastDuration.add(broadcastDuration)
    }
}
