// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import Foundation
public import TidingsHTTPTransport

/// The settings.
public struct Settings: Codable, Hashable, Identifiable, Sendable {
    public let id: UUID
    public var restaurantName: String
    public var takesOrders: Bool
    /// Counts the changes, from 1.
    public let version: Int
    /// When they were last changed.
    public let updatedAt: Date

    public init(id: UUID, restaurantName: String, takesOrders: Bool, version: Int, updatedAt: Date) {
        self.id = id
        self.restaurantName = restaurantName
        self.takesOrders = takesOrders
        self.version = version
        self.updatedAt = updatedAt
    }

    enum CodingKeys: String, CodingKey {
        case id, version
        case restaurantName = "restaurant_name"
        case takesOrders = "takes_orders"
        case updatedAt = "updated_at"
    }
}

/// What is to change of the settings: what is absent stays as it is.
public struct SettingsUpdate: Codable, Hashable, Sendable {
    public var restaurantName: FieldUpdate<String>
    public var takesOrders: FieldUpdate<Bool>

    public init(restaurantName: FieldUpdate<String> = .unchanged, takesOrders: FieldUpdate<Bool> = .unchanged) {
        self.restaurantName = restaurantName
        self.takesOrders = takesOrders
    }

    enum CodingKeys: String, CodingKey {
        case restaurantName = "restaurant_name"
        case takesOrders = "takes_orders"
    }

    /// Does to the settings what the server will do.
    func apply(to settings: inout Settings) {
        restaurantName.apply(to: &settings.restaurantName)
        takesOrders.apply(to: &settings.takesOrders)
    }
}
