import CZlib

/// A `z_stream` that stays at one place in memory, as zlib demands, and the room that it writes to.
struct ZlibStream: ~Copyable {
    typealias Pointer = UnsafeMutablePointer<z_stream>

    let pointer: Pointer
    private let room: UnsafeMutableBufferPointer<UInt8>
    private let end: (Pointer) -> Void

    /// Makes a stream.
    ///
    /// - Parameters:
    ///   - roomBytes: The most that one ``step(_:)`` writes.
    ///   - begin: Initializes it. It fails only where there is no memory, or where the program was built for another
    ///     zlib than it runs with.
    ///   - end: Frees what `begin` took.
    init(roomBytes: Int, begin: (Pointer) -> Int32, end: @escaping (Pointer) -> Void) {
        pointer = .allocate(capacity: 1)
        pointer.initialize(to: z_stream())
        room = .allocate(capacity: roomBytes)
        self.end = end
        let result = begin(pointer)
        precondition(result == Z_OK, "zlib cannot be used: error \(result).")
    }

    deinit {
        end(pointer)
        pointer.deinitialize(count: 1)
        pointer.deallocate()
        room.deallocate()
    }

    /// Sets what is read from now on. It has to stay until it is used up; zlib does not write to it.
    func feed(_ bytes: UnsafeRawBufferPointer) {
        pointer.pointee.next_in = UnsafeMutablePointer(mutating: bytes.assumingMemoryBound(to: UInt8.self).baseAddress)
        pointer.pointee.avail_in = UInt32(bytes.count)
    }

    /// Goes on until the input is used up or the room is full.
    ///
    /// - Returns: What zlib says, and what it wrote: good until the next step.
    func step(_ go: (Pointer) -> Int32) -> (result: Int32, output: UnsafeMutableBufferPointer<UInt8>.SubSequence) {
        pointer.pointee.next_out = room.baseAddress
        pointer.pointee.avail_out = UInt32(room.count)
        let result = go(pointer)
        return (result, room.prefix(room.count - Int(pointer.pointee.avail_out)))
    }

    /// Whether input is left.
    var hasInput: Bool { pointer.pointee.avail_in > 0 }
    /// Whether the last step filled the room, so that zlib may hold back more.
    var isFull: Bool { pointer.pointee.avail_out == 0 }
}
