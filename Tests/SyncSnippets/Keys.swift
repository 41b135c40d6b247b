import BistroAPI
import Foundation
import TidingsSync

struct Gift: Codable, Sendable {
    var id: String
    var name: String
}

// snippet: gifts
func gifts(_ list: String, _ sync: SyncClient) -> Query<[Gift]> {
    Query(key: ["gifts", .string(list)]) { context in
        try await sync.api.fetch(APIRequest(.get, "/gift-lists/\(list)/gifts"), as: [Gift].self, context)
    }
}
// end

func bind(_ sync: SyncClient) -> [any AnyObject & Sendable] {
    // snippet: invalidation
    let invalidation = BroadcastInvalidation(of: ["gifts"], on: "gift", in: sync)
    // end
    // snippet: realtime
    let realtime = RealtimeSync(
        of: ["gifts", "123"],
        on: "gift-list:123",
        events: [.created, .updated],
        debounce: .milliseconds(500),
        onSubscribed: { show("live") },
        in: sync
    )
    // end
    // snippet: direct
    let direct = RealtimeSync(
        of: ["gifts", "123"],
        on: "gift-list:123",
        onEvent: { event, queries in
            guard event.name == .created, let gift = try? event.payload.decode(Gift.self) else { return }
            queries.updateData(of: Query<[Gift]>(key: ["gifts", "123"])) { gifts in
                if !gifts.contains(where: { $0.id == gift.id }) { gifts.append(gift) }
            }
        },
        in: sync
    )
    // end
    return [invalidation, realtime, direct]
}

// snippet: definition
extension SyncClient {
    static let gift = SyncedEntity<Gift>("gift", keys: EntityKeys("gifts"), channel: "gift", identifier: { $0.id })

    func gift(_ id: String) -> Query<Gift> {
        detail(id, of: Self.gift, APIRequest(.get, "/gifts/\(id)"))
    }

    var renameGift: Mutation<Gift, Gift> {
        mutation(
            "gifts.rename",
            of: Self.gift,
            about: { $0.id },
            show: { input, gifts in gifts.update(input.id) { $0.name = input.name } },
            request: { input, _ in try APIRequest(.patch, "/gifts/\(input.id)", body: ["name": input.name]) },
            as: Gift.self
        )
    }
}
// end
