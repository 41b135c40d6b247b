import Foundation
import TestSupport
public import Testing

/// The programs of PostgreSQL.
struct PostgresInstallation: Sendable {
    let postgres: String
    let initdb: String
    let psql: String
    /// What a command begins with, so that it does not run as the superuser of the system, which PostgreSQL refuses.
    let asUser: [String]
    /// Who owns the server's files, if that is not who runs the tests.
    let owner: String?

    /// What is installed; nil if something is missing.
    static let found: PostgresInstallation? = {
        let debian = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        let newest = debian.sorted { (Int($0) ?? 0) > (Int($1) ?? 0) }.map { "/usr/lib/postgresql/\($0)/bin" }
        let folders = newest + ["/opt/homebrew/bin", "/opt/homebrew/opt/libpq/bin", "/usr/local/bin"]
        guard let postgres = Programs.path(of: "postgres", in: folders),
            let initdb = Programs.path(of: "initdb", in: folders),
            let psql = Programs.path(of: "psql", in: folders),
            Programs.path(of: "openssl") != nil
        else { return nil }
        guard geteuid() == 0 else {
            return PostgresInstallation(
                postgres: postgres,
                initdb: initdb,
                psql: psql,
                asUser: [],
                owner: nil
            )
        }
        guard let setpriv = Programs.path(of: "setpriv"),
            let owner = ["postgres", "nobody"].first(where: { (name: String) in getpwnam(name) != nil })
        else { return nil }
        return PostgresInstallation(
            postgres: postgres,
            initdb: initdb,
            psql: psql,
            asUser: [setpriv, "--reuid=\(owner)", "--regid=\(group(of: owner))", "--clear-groups", "--"],
            owner: owner
        )
    }()

    private static func group(of user: String) -> String {
        getpwnam(user).map { String($0.pointee.pw_gid) } ?? user
    }
}

extension PostgresServer {
    /// Whether tests run on PostgreSQL: where it is installed, and in continuous integration, where they fail without it.
    public static var isExpected: Bool {
        ProcessInfo.processInfo.environment["CI"] != nil || PostgresInstallation.found != nil
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips a test on a person's machine that lacks PostgreSQL. In continuous integration it runs, and fails.
    public static var needsPostgreSQL: Self {
        .enabled(if: PostgresServer.isExpected, "needs PostgreSQL: run scripts/setup test")
    }
}
