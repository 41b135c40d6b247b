import Foundation
import TidingsEntities

/// A dish that can be ordered.
struct MenuItem: Entity {
    enum Course: String, FieldChoice {
        case starter, main, dessert, drink
    }

    @Key var id: UUID
    @Field(.length(1...60), .trimmed, .unique) var name: String
    @Field var course: Course
    @Field(.range(0...100_000)) var priceInCents: Int
    @Field var isAvailable = true
    @Version var version: Int
    @UpdatedAt var updatedAt: Date
}
