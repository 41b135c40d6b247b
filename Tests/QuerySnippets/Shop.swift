import TidingsQuery

// What the guide takes for granted: some data, and a server that has it.

struct Order: Codable, Hashable, Identifiable, Sendable {
    var id: Int
    var name: String
    var status: String
    var version: Int64
}

struct FeedPage: Codable, Hashable, Sendable {
    var items: [String]
    var next: Int?
}

struct Rename: Codable, Sendable {
    var id: Int
    var name: String
}

struct Reply<Value: Sendable>: Sendable {
    var value: Value
    var position: String
}

struct HTTPError: Error {
    var status: Int
}

enum ShopServer {
    static func orders(_ status: String) async throws -> [Order] { [] }
    static func order(_ id: Int) async throws -> Reply<Order> { throw HTTPError(status: 404) }
    static func feed(after cursor: Int?) async throws -> FeedPage { FeedPage(items: [], next: nil) }
    static func rename(_ input: Rename, key: String) async throws -> Order { throw HTTPError(status: 404) }
}
