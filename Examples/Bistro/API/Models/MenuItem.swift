// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import Foundation
public import TidingsHTTPTransport

/// One menu item.
public struct MenuItem: Codable, Hashable, Identifiable, Sendable {
    public let id: UUID
    public var name: String
    public var course: MenuItemCourse
    public var priceInCents: Int
    public var isAvailable: Bool
    /// Counts the changes, from 1.
    public let version: Int
    /// When it was last changed.
    public let updatedAt: Date

    public init(
        id: UUID,
        name: String,
        course: MenuItemCourse,
        priceInCents: Int,
        isAvailable: Bool,
        version: Int,
        updatedAt: Date
    ) {
        self.id = id
        self.name = name
        self.course = course
        self.priceInCents = priceInCents
        self.isAvailable = isAvailable
        self.version = version
        self.updatedAt = updatedAt
    }

    enum CodingKeys: String, CodingKey {
        case id, name, course, version
        case priceInCents = "price_in_cents"
        case isAvailable = "is_available"
        case updatedAt = "updated_at"
    }
}

/// Where a menu item stands on the menu.
public enum MenuItemCourse: RawRepresentable, Codable, Hashable, Sendable {
    case starter
    case main
    case dessert
    case drink
    /// One that this version does not know.
    case unknown(String)

    public init(rawValue: String) {
        switch rawValue {
        case "starter": self = .starter
        case "main": self = .main
        case "dessert": self = .dessert
        case "drink": self = .drink
        default: self = .unknown(rawValue)
        }
    }

    public var rawValue: String {
        switch self {
        case .starter: "starter"
        case .main: "main"
        case .dessert: "dessert"
        case .drink: "drink"
        case .unknown(let value): value
        }
    }
}

/// A page of menu items.
public struct MenuItemList: Codable, Hashable, Sendable {
    public var items: [MenuItem]
    /// The `cursor` of the next page; null on the last one.
    public var nextCursor: String?

    public init(items: [MenuItem], nextCursor: String?) {
        self.items = items
        self.nextCursor = nextCursor
    }

    enum CodingKeys: String, CodingKey {
        case items
        case nextCursor = "next_cursor"
    }
}

/// What is to change of a menu item: what is absent stays as it is.
public struct MenuItemUpdate: Codable, Hashable, Sendable {
    public var name: FieldUpdate<String>
    public var course: FieldUpdate<MenuItemCourse>
    public var priceInCents: FieldUpdate<Int>
    public var isAvailable: FieldUpdate<Bool>

    public init(
        name: FieldUpdate<String> = .unchanged,
        course: FieldUpdate<MenuItemCourse> = .unchanged,
        priceInCents: FieldUpdate<Int> = .unchanged,
        isAvailable: FieldUpdate<Bool> = .unchanged
    ) {
        self.name = name
        self.course = course
        self.priceInCents = priceInCents
        self.isAvailable = isAvailable
    }

    enum CodingKeys: String, CodingKey {
        case name, course
        case priceInCents = "price_in_cents"
        case isAvailable = "is_available"
    }

    /// Does to a menu item what the server will do.
    func apply(to item: inout MenuItem) {
        name.apply(to: &item.name)
        course.apply(to: &item.course)
        priceInCents.apply(to: &item.priceInCents)
        isAvailable.apply(to: &item.isAvailable)
    }
}
