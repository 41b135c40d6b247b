import TidingsWire

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// An event with what its payload says about an entity.
struct HeardEvent: Sendable {
    let event: BroadcastEvent
    let entityID: String?
    let version: Int64?
    /// Which mutation it is the echo of.
    let origin: MutationIdentifier?
    /// Up to which fetches do not have it in their results.
    let epoch: QueryEpoch
    /// When it came, in the order of fetches.
    let arrival: QueryEpoch
    /// Whether it is the echo of an own change that is over: what that made stale has been asked for since.
    let isSettled: Bool

    private struct Hint: Decodable {
        var version: Int64?
        var origin: String?
    }

    init(_ event: BroadcastEvent, epoch: QueryEpoch) {
        self.event = event
        (self.epoch, arrival, isSettled) = (epoch, epoch, false)
        entityID = event.isStale ? nil : event.payload.entityID?.wireIdentifier
        let hint = event.isStale ? nil : try? event.payload.decode(Hint.self)
        version = hint?.version
        origin = hint?.origin.map { MutationIdentifier($0) }
    }

    private init(_ other: HeardEvent, epoch: QueryEpoch) {
        (event, entityID, version, origin) = (other.event, other.entityID, other.version, other.origin)
        (self.epoch, arrival, isSettled) = (epoch, other.arrival, true)
    }

    /// The same, in the results of fetches from an earlier one on.
    func known(since epoch: QueryEpoch) -> HeardEvent {
        HeardEvent(self, epoch: min(self.epoch, epoch))
    }

    /// What tells it from others wherever it is heard; nil if its server does not say.
    var identity: SeenEvents.Identity? {
        event.position.map { SeenEvents.Identity(position: $0, name: event.name, entityID: entityID) }
    }
}
