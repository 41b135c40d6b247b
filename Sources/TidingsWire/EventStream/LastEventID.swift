/// Up to where a client knows its channels, as the identifier of a server-sent event: a position for each log that they
/// have, `k3f9:46` or `k3f9:46,o7:12`.
package struct LastEventID: Hashable, Sendable {
    /// More than a server has logs.
    private static let maximumPositions = 64

    /// The positions, no two of the same epoch.
    package let positions: [EventPosition]

    /// Names positions.
    package init(_ positions: [EventPosition]) {
        self.positions = positions
    }

    /// Reads what a client sent. What is no position is left out, and of two with the same epoch the first one counts: the
    /// channels that they were about are not recovered.
    package init(_ text: some StringProtocol) {
        let parts = text.split(separator: ",", maxSplits: Self.maximumPositions).prefix(Self.maximumPositions)
        var epochs: Set<String> = []
        positions = parts.compactMap { EventPosition($0.trimmingSpaces) }.filter { epochs.insert($0.epoch).inserted }
    }

    /// The position in a log; nil if there is none.
    ///
    /// - Parameter epoch: The log's.
    package func position(in epoch: String) -> EventPosition? {
        positions.first { $0.epoch == epoch }
    }
}

extension LastEventID: CustomStringConvertible {
    /// The identifier as it stands on the wire.
    package var description: String { positions.map(\.description).joined(separator: ",") }
}

extension StringProtocol {
    fileprivate var trimmingSpaces: SubSequence {
        let start = firstIndex { $0 != " " } ?? endIndex
        let end = lastIndex { $0 != " " }.map(index(after:)) ?? endIndex
        return start < end ? self[start..<end] : self[endIndex..<endIndex]
    }
}
