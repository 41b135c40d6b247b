import Synchronization
import TidingsBroadcast

/// A value that several threads change, and that tasks can wait for.
final class Observed<Value: Sendable>: Sendable {
    private let state: Mutex<Value>
    private let condition = AsyncCondition()

    init(_ value: Value) {
        state = Mutex(value)
    }

    var value: Value { state.withLock { $0 } }

    func update<Result: Sendable>(_ change: (inout Value) -> Result) -> Result {
        let result = state.withLock { change(&$0) }
        condition.changed()
        return result
    }

    /// Waits until the value is what somebody waits for, or the task is cancelled.
    func wait(until isTrue: @Sendable (Value) -> Bool) async {
        await condition.wait { isTrue(self.value) }
    }
}
