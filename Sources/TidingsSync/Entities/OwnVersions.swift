import Synchronization

/// Which versions of entities this client's own changes have led to: a change that was based on an earlier one is sent with
/// the version that the client's changes since then have led to. So one's own quick changes do not conflict with each
/// other, and those of others still do.
final class OwnVersions: Sendable {
    /// What one change has led to.
    struct Step: Hashable {
        let from: Int64
        let to: Int64
    }

    private struct Place: Hashable {
        let entity: String
        let identifier: String
        let version: Int64
    }

    private struct State {
        var steps: [Place: Int64] = [:]
        var order: [Place] = []
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
            let place = Place(entity: entity, identifier: identifier, version: old)
            if state.steps.updateValue(new, forKey: place) == nil { state.order.append(place) }
            if state.order.count > capacity { state.steps[state.order.removeFirst()] = nil }
        }
    }

    /// The version that own changes have made of one.
    func latest(_ entity: String, _ identifier: String, since version: Int64) -> Int64 {
        state.withLock { state in
            var latest = version
            while let next = state.steps[Place(entity: entity, identifier: identifier, version: latest)] {
                latest = next
            }
            return latest
        }
    }
}

extension OwnVersions.Step {
    /// So many are kept with a change: whoever has that many others wait behind each other has them based on late ones.
    private static let most = 64

    static func write(_ steps: [Self]) -> String {
        steps.suffix(most).map { "\($0.from)>\($0.to)" }.joined(separator: " ")
    }

    static func read(_ text: String?) -> [Self] {
        (text ?? "").split(separator: " ").compactMap { step in
            let versions = step.split(separator: ">").compactMap { Int64($0) }
            return versions.count == 2 ? Self(from: versions[0], to: versions[1]) : nil
        }
    }
}
