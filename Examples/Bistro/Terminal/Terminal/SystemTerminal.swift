import Foundation
import Synchronization

/// The terminal, or the pipes, that the program was started with.
final class SystemTerminal: Terminal {
    private let input = InputReader(STDIN_FILENO)
    private let output: Int32
    /// How the terminal was found; nil as long as it is as it was.
    private let found = Mutex<termios?>(nil)
    let showsScreen: Bool
    let hasKeyboard: Bool

    init(output: Int32 = STDOUT_FILENO) {
        self.output = output
        let isCapable = !["", "dumb"].contains(ProcessInfo.processInfo.environment["TERM"] ?? "")
        showsScreen = isatty(output) == 1 && isCapable
        hasKeyboard = isatty(STDIN_FILENO) == 1
        // Writing says so itself.
        signal(SIGPIPE, SIG_IGN)
    }

    deinit {
        restore()
    }

    var size: TerminalSize {
        var size = winsize()
        guard ioctl(output, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return TerminalSize(columns: 80, rows: 24)
        }
        return TerminalSize(columns: Int(size.ws_col), rows: Int(size.ws_row))
    }

    func write(_ text: String) throws(TerminalClosed) {
        guard Self.write(text, to: output) else { throw TerminalClosed() }
    }

    func writeError(_ line: String) {
        _ = Self.write(line + "\n", to: STDERR_FILENO)
    }

    func read() async -> [UInt8]? { await input.read() }

    func readKeys() {
        found.withLock { found in
            var settings = termios()
            guard found == nil, tcgetattr(STDIN_FILENO, &settings) == 0 else { return }
            found = settings
            // Signals of the keyboard stay.
            settings.c_lflag &= ~tcflag_t(ICANON | ECHO)
            settings.c_iflag &= ~tcflag_t(ICRNL | IXON)
            withUnsafeMutableBytes(of: &settings.c_cc) { keys in
                keys[Int(VMIN)] = 1
                keys[Int(VTIME)] = 0
                // A program that stops would leave its screen behind.
                keys[Int(VSUSP)] = UInt8(truncatingIfNeeded: fpathconf(STDIN_FILENO, Int32(_PC_VDISABLE)))
            }
            tcsetattr(STDIN_FILENO, TCSANOW, &settings)
        }
    }

    func restore() {
        found.withLock { found in
            guard var settings = found else { return }
            tcsetattr(STDIN_FILENO, TCSANOW, &settings)
            found = nil
        }
    }

    /// - Returns: Whether everything was written.
    private static func write(_ text: String, to descriptor: Int32) -> Bool {
        var rest = ArraySlice(text.utf8)
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                guard errno == EINTR || errno == EAGAIN && hasRoom(descriptor) else { return false }
            } else {
                rest = rest.dropFirst(count)
            }
        }
        return true
    }

    /// Waits until more can be written: whoever shares the descriptor may have said that writing does not wait.
    ///
    /// - Returns: False if that cannot be known. That nobody reads any more the next write says.
    private static func hasRoom(_ descriptor: Int32) -> Bool {
        var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&wait, 1, -1) > 0 || errno == EINTR
    }
}
