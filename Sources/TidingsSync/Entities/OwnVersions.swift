import Synchronization

/// Which versions of entities this client's own changes have led to: a change that was based on an earlier one is sent with
/// the version that the client's changes since then have led to. So one's own quick changes do not conflict with each
/// other, and those of others still do.
final class OwnVersions: Sendable {
    private struct Step: Hashable {
        let entity: String
        let identifier: String
        let version: Int64
    }

    private struct State {
        var steps: [Step: Int64] = [:]
        var order: [Step] = []
    }

    private let capacity: Int
    private let state = Mutex(State())

    init(capacity: Int = 4_096) {
        self.capacity = capacity
    }

    /// An own change has led from one version to another.
    func record(_ entity: String, _ identifier: String, from old: Int64, to new: Int64) {
        guard new > old else { return }
        state.withLock { state in
            let step = Step(entity: entity, identifier: identifier, version: old)
            if state.steps.updateValue(new, forKey: step) == nil { state.order.append(step) }
            if state.order.count > capacity { state.steps[state.order.removeFirst()] = nil }
        }
    }

    /// The version that own changes have made of one.
    func latest(_ entity: String, _ identifier: String, since version: Int64) -> Int64 {
        state.withLock { state in
            var latest = version
            while let next = state.steps[Step(entity: entity, identifier: identifier, version: latest)] {
                latest = next
            }
            return latest
        }
    }
}
