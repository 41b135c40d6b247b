import Foundation
import TidingsEntities

/// How the restaurant is run: there is one of it.
struct Settings: Entity {
    static let isSingleton = true

    @Key var id: UUID
    @Field(.length(1...60), .trimmed) var restaurantName = "Bistro"
    @Field var takesOrders = true
    @Version(.required) var version: Int
    @UpdatedAt var updatedAt: Date
}
