// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "tidings",
    platforms: [.macOS(.v15), .iOS(.v18)],
    products: [
        .library(name: "TidingsWire", targets: ["TidingsWire"]),
        .library(name: "TidingsBroadcast", targets: ["TidingsBroadcast"]),
        .library(name: "TidingsEntities", targets: ["TidingsEntities"]),
        .library(name: "TidingsHummingbird", targets: ["TidingsHummingbird"]),
        .library(name: "TidingsClient", targets: ["TidingsClient"]),
        .library(name: "TidingsQuery", targets: ["TidingsQuery"]),
        .library(name: "TidingsQuerySQLite", targets: ["TidingsQuerySQLite"]),
        .library(name: "TidingsHTTPTransport", targets: ["TidingsHTTPTransport"]),
        .library(name: "TidingsSync", targets: ["TidingsSync"]),
        .library(name: "TidingsSQLite", targets: ["TidingsSQLite"]),
        .library(name: "TidingsPostgres", targets: ["TidingsPostgres"]),
        .library(name: "TidingsRedis", targets: ["TidingsRedis"]),
        .library(name: "TidingsTesting", targets: ["TidingsTesting"]),
        .executable(name: "tidings", targets: ["tidings"]),
        .executable(name: "bistro", targets: ["bistro"]),
    ],
    traits: [
        .trait(
            name: "PostgreSQL",
            description: "The store that keeps entities in PostgreSQL (TidingsPostgres); needs libpq."
        )
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-configuration.git", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.14.0"),
        .package(url: "https://github.com/apple/swift-metrics.git", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.34.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.0"),
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.0"),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.0"),
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.30.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/vapor/jwt-kit.git", from: "5.7.0"),
    ],
    targets: [
        // The wire: no sockets, no event loops.
        .target(name: "TidingsWire"),

        // Compression on the wire, with the system's zlib.
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .target(name: "TidingsCompression", dependencies: ["CZlib", "TidingsWire"]),

        // The server wing.
        .target(
            name: "TidingsBroadcast",
            dependencies: [
                "TidingsCompression",
                "TidingsWire",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]
        ),
        .target(
            name: "TidingsHummingbird",
            dependencies: [
                "TidingsBroadcast",
                "TidingsCompression",
                "TidingsEntities",
                "TidingsWire",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "JWTKit", package: "jwt-kit"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            // In the program itself, so that a server needs no folder beside it.
            resources: [
                .embedInCode("Console/Page/console.html"), .embedInCode("Console/Page/signin.html"),
                .embedInCode("Console/Page/console.css"), .embedInCode("Console/Page/page.js"),
                .embedInCode("Console/Page/feed.js"), .embedInCode("Console/Page/rates.js"),
                .embedInCode("Console/Page/chart.js"), .embedInCode("Console/Page/view.js"),
                .embedInCode("Console/Page/words.js"),
            ]
        ),

        .target(
            name: "TidingsRedis",
            dependencies: [
                "TidingsBroadcast",
                "TidingsWire",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]
        ),

        // The client wing.
        .target(
            name: "TidingsClient",
            dependencies: [
                "TidingsCompression",
                "TidingsWire",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]
        ),

        // The cache of queries: knows no socket.
        .target(name: "TidingsQuery", dependencies: [.product(name: "Logging", package: "swift-log")]),

        .target(
            name: "TidingsQuerySQLite",
            dependencies: ["TidingsQuery", .product(name: "GRDB", package: "GRDB.swift")]
        ),

        // How clients ask for data, and what keeps it right.
        .target(
            name: "TidingsHTTPTransport",
            dependencies: [
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ]
        ),
        .target(
            name: "TidingsSync",
            dependencies: [
                "TidingsClient",
                "TidingsHTTPTransport",
                "TidingsQuery",
                "TidingsWire",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]
        ),

        // What an application keeps, and the databases that it is kept in.
        .target(
            name: "TidingsEntities",
            dependencies: [
                "TidingsBroadcast",
                "TidingsWire",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]
        ),

        // What users test their own parts with.
        .target(
            name: "TidingsTesting",
            dependencies: ["TidingsBroadcast", "TidingsEntities", "TidingsQuery", "TidingsWire"]
        ),

        // The databases that entities are kept in.
        .target(
            name: "TidingsSQLite",
            dependencies: ["TidingsEntities", "TidingsWire", .product(name: "GRDB", package: "GRDB.swift")]
        ),
        .systemLibrary(
            name: "CLibpq",
            pkgConfig: "libpq",
            providers: [.apt(["libpq-dev"]), .brew(["libpq"])]
        ),
        // Empty without the trait, so that nobody needs libpq who does not use it.
        .target(
            name: "TidingsPostgres",
            dependencies: [
                .target(name: "CLibpq", condition: .when(traits: ["PostgreSQL"])),
                "TidingsEntities",
                "TidingsWire",
                .product(name: "Logging", package: "swift-log"),
            ]
        ),

        // The programs.
        .executableTarget(
            name: "tidings",
            dependencies: [
                "TidingsBroadcast",
                "TidingsClient",
                "TidingsHummingbird",
                "TidingsRedis",
                "TidingsWire",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ]
        ),
        .target(name: "BistroAPI", dependencies: ["TidingsHTTPTransport", "TidingsSync"], path: "Examples/Bistro/API"),
        .target(
            name: "BistroTerminal",
            dependencies: [
                "BistroAPI",
                "TidingsSync",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            path: "Examples/Bistro/Terminal"
        ),
        .executableTarget(
            name: "bistro",
            dependencies: [
                "BistroTerminal",
                "TidingsBroadcast",
                "TidingsEntities",
                "TidingsHummingbird",
                "TidingsPostgres",
                "TidingsSQLite",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            path: "Examples/Bistro",
            exclude: ["API", "Terminal", "Web/package.json", "Web/tests", "Web/tidings.d.ts"],
            resources: [.copy("Public"), .copy("Web/tidings.js"), .copy("Web/tidings")]
        ),

        // The tests.
        .testTarget(name: "TidingsWireTests", dependencies: ["TestSupport", "TidingsWire"]),
        .testTarget(
            name: "TidingsCompressionTests",
            dependencies: ["TestSupport", "TidingsCompression", "TidingsWire"]
        ),
        .testTarget(
            name: "TidingsBroadcastTests",
            dependencies: [
                "TestSupport", "TidingsBroadcast", "TidingsTesting", "TidingsWire",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]
        ),
        .testTarget(
            name: "TidingsHummingbirdTests",
            dependencies: [
                "SocketTestSupport", "TestSupport", "TidingsBroadcast", "TidingsClient", "TidingsCompression",
                "TidingsEntities", "TidingsHummingbird", "TidingsSQLite", "TidingsTesting", "TidingsWire",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "JWTKit", package: "jwt-kit"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]
        ),
        .testTarget(
            name: "TidingsRedisTests",
            dependencies: [
                "RedisTestSupport", "SocketTestSupport", "TestSupport", "TidingsBroadcast", "TidingsClient",
                "TidingsRedis", "TidingsTesting", "TidingsWire", "redis-node",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]
        ),
        .testTarget(name: "TidingsCommandTests", dependencies: ["TestSupport", "TidingsBroadcast", "tidings"]),
        .testTarget(
            name: "TidingsClientTests",
            dependencies: [
                "TestSupport", "TidingsClient", "TidingsWire",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ]
        ),
        .testTarget(
            name: "TidingsQueryTests",
            dependencies: [
                "TestSupport", "TidingsQuery", "TidingsTesting",
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .testTarget(
            name: "TidingsHTTPTransportTests",
            dependencies: [
                "TestSupport", "TidingsHTTPTransport",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]
        ),
        .testTarget(
            name: "TidingsSyncTests",
            dependencies: [
                "TestSupport", "TidingsClient", "TidingsHTTPTransport", "TidingsQuery", "TidingsSync", "TidingsTesting",
                "TidingsWire",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ]
        ),
        .testTarget(
            name: "TidingsQuerySQLiteTests",
            dependencies: [
                "TestSupport", "TidingsQuery", "TidingsQuerySQLite", "TidingsTesting",
                .product(name: "GRDB", package: "GRDB.swift"),
            ]
        ),
        .testTarget(
            name: "TidingsEntitiesTests",
            dependencies: [
                "DatabaseTestSupport", "TestSupport", "TidingsBroadcast", "TidingsEntities", "TidingsPostgres",
                "TidingsSQLite", "TidingsTesting", "TidingsWire",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]
        ),
        .testTarget(
            name: "TidingsSQLiteTests",
            dependencies: [
                "TestSupport", "TidingsEntities", "TidingsSQLite", "TidingsTesting",
                .product(name: "GRDB", package: "GRDB.swift"),
            ]
        ),
        .testTarget(
            name: "TidingsPostgresTests",
            dependencies: [
                "DatabaseTestSupport", "SocketTestSupport", "TestSupport", "TidingsEntities", "TidingsPostgres",
                "TidingsTesting",
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .testTarget(
            name: "BistroTerminalTests",
            dependencies: [
                "BistroAPI", "BistroTerminal", "TestSupport", "TidingsSync",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "BistroAPI", "DatabaseTestSupport", "RedisTestSupport", "SocketTestSupport", "TestSupport",
                "TidingsBroadcast", "TidingsClient", "TidingsEntities", "TidingsHummingbird", "TidingsQuerySQLite",
                "TidingsRedis", "TidingsSQLite", "TidingsSync", "TidingsWire", "bistro", "entity-server", "tidings",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "JWTKit", package: "jwt-kit"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            exclude: ["Serve/interoperate.py"]
        ),
        .executableTarget(
            name: "conformance",
            dependencies: [
                "TidingsBroadcast",
                "TidingsClient",
                "TidingsHummingbird",
                "TidingsWire",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Tests/Conformance"
        ),
        // A server of entities that dies where it is told to.
        .executableTarget(
            name: "entity-server",
            dependencies: [
                "TidingsBroadcast", "TidingsClient", "TidingsEntities", "TidingsHummingbird", "TidingsPostgres",
                "TidingsSQLite",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            path: "Tests/EntityServer"
        ),
        // How long a change takes to the screens that show it.
        .executableTarget(
            name: "sync-bench",
            dependencies: [
                "BistroAPI", "TidingsSync",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Benchmarks/sync",
            exclude: ["run"]
        ),
        // The code of docs/guides: it compiles, and scripts/check-snippets compares it with the pages.
        .target(
            name: "QuerySnippets",
            dependencies: ["TidingsQuery", "TidingsQuerySQLite"],
            path: "Tests/QuerySnippets"
        ),
        .target(
            name: "SyncSnippets",
            dependencies: ["BistroAPI", "TidingsSync", .product(name: "Logging", package: "swift-log")],
            path: "Tests/SyncSnippets"
        ),
        .target(
            name: "ServerSnippets",
            dependencies: [
                "TidingsBroadcast", "TidingsClient", "TidingsEntities", "TidingsHummingbird", "TidingsPostgres",
                "TidingsRedis", "TidingsSQLite",
                .product(name: "Hummingbird", package: "hummingbird"),
            ],
            path: "Tests/ServerSnippets"
        ),
        .target(
            name: "TestSupport",
            dependencies: [.product(name: "Logging", package: "swift-log")],
            path: "Tests/TestSupport"
        ),
        .target(name: "DatabaseTestSupport", dependencies: ["TestSupport"], path: "Tests/DatabaseTestSupport"),
        // One node of a service on Redis, for tests that end it and for measurements.
        .executableTarget(
            name: "redis-node",
            dependencies: [
                "TidingsBroadcast", "TidingsRedis", "TidingsWire",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Tests/RedisNode"
        ),
        .target(name: "RedisTestSupport", dependencies: ["TestSupport"], path: "Tests/RedisTestSupport"),
        .target(
            name: "SocketTestSupport",
            dependencies: [
                "TestSupport",
                "TidingsClient",
                "TidingsWire",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            path: "Tests/SocketTestSupport"
        ),
    ]
)

let warningsAreErrors = Context.environment["CI"] != nil

// A system library has nothing to compile, and so no settings.
for target in package.targets where target.type != .system {
    var settings = target.swiftSettings ?? []
    settings += [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ]
    if warningsAreErrors {
        settings.append(.treatAllWarnings(as: .error))
    }
    target.swiftSettings = settings
}
