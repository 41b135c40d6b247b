#if PostgreSQL
import CLibpq
import TidingsEntities

/// What a server answered to a statement.
final class QueryResult {
    private let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        PQclear(pointer)
    }

    /// What the statement did, such as `COMMIT`.
    var command: String { String(cString: PQcmdStatus(pointer)) }

    /// Whether the server waits for bytes, or sends them, of a `COPY`.
    var isCopy: Bool {
        [PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH].contains(PQresultStatus(pointer))
    }

    /// What went wrong; nil if nothing did.
    var message: ServerMessage? {
        guard [PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE].contains(PQresultStatus(pointer)) else { return nil }
        return ServerMessage(
            state: field("C") ?? "",
            text: field("M") ?? String(cString: PQresultErrorMessage(pointer)),
            constraint: field("n"),
            isFatal: field("V").map { $0 == "FATAL" || $0 == "PANIC" } ?? true
        )
    }

    /// The rows.
    func rows() throws -> [SQLRow] {
        let fields = 0..<PQnfields(pointer)
        let names = fields.map { String(cString: PQfname(pointer, $0)) }
        let types = fields.map { PQftype(pointer, $0) }
        let columns = Dictionary(zip(names, names.indices)) { first, _ in first }
        return try (0..<PQntuples(pointer)).map { row in
            SQLRow(columns: columns, values: try fields.map { try value(row, $0, types[Int($0)]) })
        }
    }

    /// The result, unless it is a failure.
    ///
    /// - Throws: ``ServerFailure``; ``PostgresConnection/Interruption`` if the connection ended without a word.
    func checked(connectionIsLost: Bool) throws -> QueryResult {
        if let message {
            // libpq makes messages of its own, without a state, when a connection ends.
            guard !message.state.isEmpty else {
                guard connectionIsLost else { throw StoreError(.other, "PostgreSQL's answer cannot be read.") }
                throw PostgresConnection.Interruption.lost
            }
            throw ServerFailure(message: message)
        }
        guard PQresultStatus(pointer) != PGRES_EMPTY_QUERY else {
            throw StoreError(.other, "The statement is empty.")
        }
        return self
    }

    private func value(_ row: Int32, _ column: Int32, _ type: UInt32) throws -> SQLValue {
        guard PQgetisnull(pointer, row, column) == 0 else { return .null }
        let bytes = UnsafeRawBufferPointer(
            start: PQgetvalue(pointer, row, column),
            count: Int(PQgetlength(pointer, row, column))
        )
        guard let value = BinaryValue(bytes).value(of: type) else {
            let name = String(cString: PQfname(pointer, column))
            throw StoreError(
                .other,
                "The column \(name) is of a type (\(type)) that stores do not read; cast it to text."
            )
        }
        return value
    }

    private func field(_ code: Unicode.Scalar) -> String? {
        PQresultErrorField(pointer, Int32(code.value)).map { String(cString: $0) }
    }
}

/// The server refused something.
struct ServerFailure: Error {
    let message: ServerMessage
}
#endif
