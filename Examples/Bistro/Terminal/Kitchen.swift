public import ArgumentParser
import BistroAPI
import Foundation
import TidingsSync

/// `bistro kitchen`: what there is to cook.
public struct Kitchen: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(abstract: "Show what there is to cook.")

    @Option(help: "Where the restaurant is.")
    var url = "http://127.0.0.1:8080"

    public init() {}

    public func run() async throws {
        let sync = try SyncClient(baseURL: url)
        async let running: Void = sync.run()
        for await orders in sync.queries.snapshots(of: sync.orders.list(.init(status: [.open, .preparing]))) {
            print(orders.data?.items.map { "\($0.reference) \($0.table) \($0.status.rawValue)" } ?? [])
        }
        await running
    }
}
