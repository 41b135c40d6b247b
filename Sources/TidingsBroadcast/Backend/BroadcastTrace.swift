import TidingsWire

/// The trace that what happens in a task belongs to, as far as clients are told: events that the task broadcasts have it as
/// their ``TidingsWire/BroadcastEvent/traceID``.
///
/// Servers of TidingsHummingbird set it for each request: to the trace that the request belongs to (`traceparent`, W3C
/// Trace Context), otherwise to the name that the request has in the log.
public enum BroadcastTrace {
    /// The trace of this task; nil if there is none.
    @TaskLocal public static var identifier: String?
}

extension BroadcastEvent {
    /// The event with the trace of this task, unless it has one. It has to be taken where the event is broadcast: what the
    /// event loops do belongs to no task.
    var traced: BroadcastEvent {
        guard traceID == nil, let identifier = BroadcastTrace.identifier else { return self }
        var event = self
        event.traceID = identifier
        return event
    }
}
