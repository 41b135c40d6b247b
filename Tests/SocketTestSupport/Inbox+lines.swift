public import Foundation
import Synchronization
import TestSupport

extension Inbox<String> {
    /// Takes in what a program writes, line by line; the end of it is the end of the inbox.
    ///
    /// - Parameter pipe: Where it writes to. It may be closed from now on.
    public func putLines(of pipe: Pipe) {
        let rest = Mutex<[UInt8]>([])
        OutputThread.read(dup(pipe.fileHandleForReading.fileDescriptor)) { bytes in
            guard let bytes else { return self.end() }
            rest.withLock { rest in
                rest += bytes
                while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    self.put(String(decoding: rest[..<end], as: UTF8.self))
                    rest.removeFirst(end + 1)
                }
            }
        }
    }
}
