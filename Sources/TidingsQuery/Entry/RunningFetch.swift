/// What went wrong, and how often.
struct FetchTrouble: Sendable {
    /// The error that stands; nil if it has been overcome.
    var error: (any Error)?
    var errorAt: Timestamp?
    var errorCount = 0
    /// How often the fetch that runs, or ran last, has failed.
    var failures = 0
    var failureReason: (any Error)?
}

/// A fetch that runs or waits.
struct RunningFetch: Sendable {
    enum Phase: Sendable {
        /// The function is being called. → `waiting`, or the fetch ends.
        case attempting
        /// The time before the next attempt. → `attempting`, `paused`, or the fetch ends.
        case waiting
        /// Not allowed to go on: offline, or in the background. → `attempting`, or the fetch ends.
        case paused
    }

    let identifier: UInt64
    let direction: FetchDirection?
    /// Whether it adds to what there is, which stays as old as it was.
    let isExtension: Bool
    /// Whether a later attempt builds on what an earlier one got.
    let continuesAfterFailure: Bool
    /// What stood before the fetch, for a cancellation.
    var before: FetchTrouble?
    /// When the data that it will bring was asked for: an event that came later is not in it.
    var epoch: QueryEpoch
    var phase: Phase
    /// The last observer has left: a failed attempt is the last one.
    var mayRetry = true
    /// Something happened after ``epoch``.
    var isOvertaken = false
    /// Something happened before ``epoch`` that what is there does not know: it will be out of date if this is cancelled.
    var makesUpForData = false
    /// Another fetch follows if this one was overtaken, or took the place of one that would have brought everything.
    var wantsFollowUp = false

    /// Whether another fetch follows, however this one ends.
    var needsFollowUp: Bool { (isOvertaken || isExtension) && wantsFollowUp }
}

/// What a new base is known by.
struct DataArrival: Sendable {
    var moment: Timestamp
    var version: Int64?
}
