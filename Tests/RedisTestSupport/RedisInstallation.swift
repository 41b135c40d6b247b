import Foundation
import TestSupport
public import Testing

/// The programs of Redis.
enum RedisInstallation {
    static let server = Programs.path(of: "redis-server")
    static let client = Programs.path(of: "redis-cli")
}

extension RedisServer {
    /// Whether tests run on Redis: where it is installed, and in continuous integration, where they fail without it.
    public static var isExpected: Bool {
        ProcessInfo.processInfo.environment["CI"] != nil || RedisInstallation.server != nil
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips a test on a person's machine that lacks Redis. In continuous integration it runs, and fails.
    public static var needsRedis: Self {
        .enabled(if: RedisServer.isExpected, "needs Redis: run scripts/setup test")
    }
}
