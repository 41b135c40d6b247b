#if PostgreSQL
import CLibpq
import Logging
import TidingsEntities

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A connection to a server. It belongs to the thread that made it, and blocks it.
///
/// libpq is used without blocking calls of its own after the connection is made: each wait has an end even if the server,
/// or something between, takes what is sent and never answers.
final class PostgresConnection {
    /// What a wait for the server can end with, apart from an answer.
    enum Interruption: Error {
        /// The connection is closed, or must be: nothing is known about the statement.
        case lost
    }

    /// Cancels what runs here, from other threads.
    let cancelHandle: CancelHandle
    var statements: StatementCache
    /// Statements in PostgreSQL's spelling.
    var translations: [String: PlaceholderTranslation] = [:]
    /// Whether tables have changed since statements were prepared.
    var hasOutdatedStatements = false
    /// Whether the connection can be used.
    private(set) var isUsable = true
    private let handle: OpaquePointer
    private let notices: NoticeSink
    private let settings: ConnectionSettings

    /// Time after which a server that has not kept its own time limit is taken for gone.
    private static let grace = Duration.seconds(2)

    /// Connects and signs in.
    ///
    /// - Throws: ``StoreError`` with the code ``StoreError/Code/unavailable``.
    init(_ settings: ConnectionSettings) throws {
        guard let handle = Self.connect(settings.parameters) else { throw StoreError.connectionLost }
        guard PQstatus(handle) == CONNECTION_OK, let cancelHandle = CancelHandle(handle) else {
            let reason = Self.text(PQerrorMessage(handle))
            PQfinish(handle)
            throw StoreError(
                .unavailable,
                "Cannot connect to PostgreSQL (\(reason)); check that it runs and what the connection string says."
            )
        }
        self.handle = handle
        self.cancelHandle = cancelHandle
        self.settings = settings
        statements = StatementCache(limit: settings.configuration.preparedStatements)
        notices = NoticeSink(settings.logger)
        notices.receive(from: handle)
        PQsetnonblocking(handle, 1)
        do {
            try checkEncoding()
            try run(settings.sessionSettings)
        } catch is Interruption {
            throw StoreError.connectionLost
        } catch let failure as ServerFailure {
            throw StoreError(failure.message)
        }
    }

    deinit {
        PQfinish(handle)
    }

    /// The file descriptor to wait on; negative if there is no connection.
    var socket: Int32 { PQsocket(handle) }

    /// Whether a transaction goes on.
    var isInTransaction: Bool { PQtransactionStatus(handle) == PQTRANS_INTRANS }

    /// Whether there is no transaction.
    var isIdle: Bool { PQtransactionStatus(handle) == PQTRANS_IDLE }

    /// Time that a statement may take.
    var statementTimeout: Duration { settings.configuration.statementTimeout }

    /// Gives the connection up.
    func abandon() {
        isUsable = false
    }

    // MARK: Statements

    /// Runs statements without parameters that return nothing.
    @discardableResult
    func run(_ sql: String, limit: Duration? = nil) throws -> QueryResult {
        try perform(limit: limit ?? settings.configuration.statementTimeout) { PQsendQuery($0, sql) }
    }

    /// Closes all prepared statements, outside of a transaction.
    func forgetStatements() throws {
        try run("DEALLOCATE ALL")
        statements.removeAll()
        hasOutdatedStatements = false
    }

    /// Runs something of libpq's that sends, and waits for the answer.
    ///
    /// - Parameters:
    ///   - limit: Time that the server may take, which keeps it itself; nil: any.
    ///   - isCancelled: Whether the statement was cancelled meanwhile: a server that does not react is taken for gone.
    ///   - send: Sends.
    func perform(
        limit: Duration?,
        isCancelled: () -> Bool = { false },
        _ send: (OpaquePointer) -> Int32
    ) throws -> QueryResult {
        guard isUsable, PQstatus(handle) == CONNECTION_OK else { throw lost() }
        guard send(handle) == 1 else {
            guard PQstatus(handle) == CONNECTION_OK else { throw lost() }
            // It was not sent: what libpq says about it is about the statement's form.
            throw StoreError(.other, "The statement cannot be sent: \(Self.text(PQerrorMessage(handle))).")
        }
        let results = try answers(limit: limit, isCancelled: isCancelled)
        guard let result = results.first(where: { $0.message != nil }) ?? results.last else { throw lost() }
        if result.message?.isFatal == true || PQstatus(handle) != CONNECTION_OK { isUsable = false }
        return try result.checked(connectionIsLost: !isUsable)
    }

    /// All that the server answers. If the connection ends after an answer, the answer counts: it may be `COMMIT`.
    private func answers(limit: Duration?, isCancelled: () -> Bool) throws -> [QueryResult] {
        var deadline = limit.map { ContinuousClock.now + $0 + Self.grace }
        var wasCancelled = false
        var results: [QueryResult] = []
        do {
            while true {
                while try isBusy() {
                    if !wasCancelled, isCancelled() {
                        wasCancelled = true
                        deadline = ContinuousClock.now + Self.grace
                    }
                    if let deadline, ContinuousClock.now >= deadline { throw lost() }
                }
                guard let pointer = PQgetResult(handle) else { return results }
                results.append(QueryResult(pointer))
                if results.last?.isCopy == true { throw lost() }
            }
        } catch  where results.last.map({ !$0.isCopy }) ?? false {
            return results
        }
    }

    // MARK: Notifications

    /// Waits for notifications.
    ///
    /// - Parameter milliseconds: How long.
    /// - Returns: How many came.
    func notifications(within milliseconds: Int32) throws -> Int {
        wait(milliseconds, forWriting: false)
        guard PQconsumeInput(handle) == 1, PQstatus(handle) == CONNECTION_OK else { throw lost() }
        var count = 0
        while let notification = PQnotifies(handle) {
            PQfreemem(notification)
            count += 1
        }
        return count
    }

    // MARK: Parts

    private static let slice: Int32 = 100

    /// Waits for a moment unless an answer is there.
    private func isBusy() throws -> Bool {
        let unsent = PQflush(handle)
        guard unsent >= 0 else {
            // The server may have said why before it went.
            _ = PQconsumeInput(handle)
            guard PQisBusy(handle) == 0 else { throw lost() }
            return false
        }
        guard PQisBusy(handle) == 1 || unsent == 1 else { return false }
        wait(Self.slice, forWriting: unsent == 1)
        // What came before the end of the connection is still read.
        if PQconsumeInput(handle) == 0, PQisBusy(handle) == 1 { throw lost() }
        return PQisBusy(handle) == 1 || PQflush(handle) == 1
    }

    private func wait(_ milliseconds: Int32, forWriting: Bool) {
        let events = Int16(POLLIN) | (forWriting ? Int16(POLLOUT) : 0)
        var descriptor = pollfd(fd: PQsocket(handle), events: events, revents: 0)
        _ = poll(&descriptor, 1, milliseconds)
    }

    private func lost() -> Interruption {
        isUsable = false
        return .lost
    }

    private func checkEncoding() throws {
        guard let encoding = PQparameterStatus(handle, "server_encoding"), String(cString: encoding) != "UTF8" else {
            return
        }
        throw StoreError(
            .schema,
            "The database is in the encoding \(String(cString: encoding)), which lacks characters; make one in UTF8."
        )
    }

    private static func connect(_ parameters: [(keyword: String, value: String)]) -> OpaquePointer? {
        let keywords = parameters.map { strdup($0.keyword) }
        let values = parameters.map { strdup($0.value) }
        defer { for pointer in keywords + values { free(pointer) } }
        return PQconnectdbParams(
            keywords.map { UnsafePointer($0) } + [nil],
            values.map { UnsafePointer($0) } + [nil],
            1
        )
    }

    private static func text(_ pointer: UnsafePointer<CChar>?) -> String {
        guard let pointer else { return "no reason was given" }
        let lines = String(cString: pointer).split(whereSeparator: \.isNewline)
        return lines.map { $0.drop(while: \.isWhitespace) }.joined(separator: "; ")
    }
}

/// Writes a server's notices to a log. It lives as long as its connection, which refers to it without owning it.
private final class NoticeSink {
    private let logger: Logger

    init(_ logger: Logger) {
        self.logger = logger
    }

    func receive(from connection: OpaquePointer) {
        PQsetNoticeProcessor(
            connection,
            { context, message in
                guard let context, let message else { return }
                let text = String(cString: message)
                Unmanaged<NoticeSink>.fromOpaque(context).takeUnretainedValue().log(text)
            },
            Unmanaged.passUnretained(self).toOpaque()
        )
    }

    private func log(_ text: String) {
        let line = text.split(whereSeparator: \.isNewline).first ?? ""
        logger.debug("A notice of the database", metadata: ["notice": "\(line)"])
    }
}
#endif
