// For the thread sanitizer on Linux, which does not see what `Synchronization.Mutex` waits for and calls every use of it a
// race: a mutex that it sees, under the same name. Modules of the sanitizer's package have it, so it goes before the other.
import Glibc

struct Mutex<Value>: @unchecked Sendable {
    // Proof: the value is touched only between lock and unlock of the same mutex.
    private final class Storage {
        let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        var value: Value

        init(_ value: Value) {
            self.value = value
            lock.initialize(to: pthread_mutex_t())
            pthread_mutex_init(lock, nil)
        }

        deinit {
            pthread_mutex_destroy(lock)
            lock.deallocate()
        }
    }

    private let storage: Storage

    init(_ value: Value) { storage = Storage(value) }

    func withLock<Result, Failure: Error>(_ body: (inout Value) throws(Failure) -> Result) throws(Failure) -> Result {
        pthread_mutex_lock(storage.lock)
        defer { pthread_mutex_unlock(storage.lock) }
        return try body(&storage.value)
    }
}
