import CoreMetrics
import Synchronization
import TidingsBroadcast

/// What keeps the values of one series. Everything can be called from any thread.
protocol PrometheusInstrument: AnyObject, Sendable {
    static var kind: PrometheusText.Kind { get }
    init()
    func samples(labels: [PrometheusText.Label]) -> [PrometheusText.Sample]
}

/// A number that others add to.
private struct AtomicDouble: ~Copyable {
    private let bits = Atomic<UInt64>(Double.zero.bitPattern)

    var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    func set(_ value: Double) {
        bits.store(value.bitPattern, ordering: .relaxed)
    }

    func add(_ amount: Double) {
        var known = bits.load(ordering: .relaxed)
        while true {
            let sum = (Double(bitPattern: known) + amount).bitPattern
            let (exchanged, found) = bits.weakCompareExchange(expected: known, desired: sum, ordering: .relaxed)
            if exchanged { return }
            known = found
        }
    }
}

/// A number that only grows.
final class PrometheusCounter: PrometheusInstrument, CounterHandler, FloatingPointCounterHandler {
    static var kind: PrometheusText.Kind { .counter }
    private let whole = Atomic<Int64>(0)
    private let fraction = AtomicDouble()

    init() {}

    func increment(by amount: Int64) {
        whole.wrappingAdd(max(amount, 0), ordering: .relaxed)
    }

    func increment(by amount: Double) {
        if amount > 0 { fraction.add(amount) }
    }

    func reset() {
        whole.store(0, ordering: .relaxed)
        fraction.set(0)
    }

    func samples(labels: [PrometheusText.Label]) -> [PrometheusText.Sample] {
        [.init(labels: labels, value: Double(whole.load(ordering: .relaxed)) + fraction.value)]
    }
}

/// A number that goes up and down.
final class PrometheusGauge: PrometheusInstrument, MeterHandler, RecorderHandler {
    static var kind: PrometheusText.Kind { .gauge }
    private let number = AtomicDouble()

    init() {}

    func set(_ value: Int64) { number.set(Double(value)) }
    func set(_ value: Double) { number.set(value) }
    func increment(by amount: Double) { number.add(amount) }
    func decrement(by amount: Double) { number.add(-amount) }
    func record(_ value: Int64) { number.set(Double(value)) }
    func record(_ value: Double) { number.set(value) }

    func samples(labels: [PrometheusText.Label]) -> [PrometheusText.Sample] {
        [.init(labels: labels, value: number.value)]
    }
}

/// How many values there were, and how much all together.
final class PrometheusSummary: PrometheusInstrument, RecorderHandler {
    static var kind: PrometheusText.Kind { .summary }
    private let values = Mutex((count: 0, sum: 0.0))

    init() {}

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        values.withLock { values in
            values.count += 1
            values.sum += value
        }
    }

    func samples(labels: [PrometheusText.Label]) -> [PrometheusText.Sample] {
        let values = values.withLock { $0 }
        return [
            .init(suffix: "_sum", labels: labels, value: values.sum),
            .init(suffix: "_count", labels: labels, value: Double(values.count)),
        ]
    }
}

/// How often something took how long, in seconds.
final class PrometheusTimer: PrometheusInstrument, TimerHandler {
    static var kind: PrometheusText.Kind { .histogram }
    private let histogram = Mutex(DurationHistogram())

    init() {}

    func recordNanoseconds(_ duration: Int64) {
        histogram.withLock { $0.record(.nanoseconds(duration)) }
    }

    func samples(labels: [PrometheusText.Label]) -> [PrometheusText.Sample] {
        histogram.withLock { $0 }.samples(labels: labels)
    }
}
