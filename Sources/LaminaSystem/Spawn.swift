// Starting another program: by path, with arguments as bytes and a few descriptors, in
// a session of its own or waited for.

import Glibc
import LaminaCore

/// A program to start. Every descriptor but those named here is closed in it.
public struct Spawn: Sendable {
    /// The file to run; no search in PATH.
    public var program: ByteString
    /// All arguments after the program's name.
    public var arguments: [ByteString]
    /// `NAME=value` lines that it gets besides the caller's environment.
    public var environment: [ByteString] = []
    /// Runs it in a new session, so that it outlives the caller's terminal.
    public var newSession = false
    /// Which of the caller's descriptors (second) it gets under which number (first).
    public var descriptors: [(number: Int32, source: Int32)] = []

    public init(_ program: ByteString, _ arguments: [ByteString]) {
        self.program = program
        self.arguments = arguments
    }

    /// Starts it; returns the process id.
    public func start() throws(Errno) -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        // SAFETY: both are initialised here and destroyed below.
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawnattr_init(&attributes)
        defer {
            unsafe posix_spawn_file_actions_destroy(&actions)
            unsafe posix_spawnattr_destroy(&attributes)
        }
        for (number, source) in descriptors {
            // SAFETY: adddup2 only records two numbers; equal ones lose their close-on-exec flag.
            unsafe posix_spawn_file_actions_adddup2(&actions, source, number)
        }
        // The caller may run on a thread of Dispatch, which blocks nearly all signals; a child that
        // inherited this would never hear of its own children's ends, nor of SIGTERM.
        var none = sigset_t()
        // SAFETY: fills the local set, which is copied into the local attributes.
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        let session: Int16 = 0x80  // POSIX_SPAWN_SETSID of <spawn.h>
        let flags = Int16(POSIX_SPAWN_SETSIGMASK) | (newSession ? session : 0)
        // SAFETY: sets flags of the local attributes.
        unsafe posix_spawnattr_setflags(&attributes, flags)
        var process: pid_t = 0
        let settings = environment + (environment.isEmpty ? [] : Self.inheritedEnvironment())
        let result = unsafe Self.withVector([program] + arguments) { argv in
            unsafe Self.withVector(settings) { envp in
                // SAFETY: both vectors end in nil and their strings live during the call.
                unsafe program.withCString { path in
                    unsafe posix_spawn(
                        &process, path, &actions, &attributes, argv, environment.isEmpty ? environ : envp)
                }
            }
        }
        guard result == 0 else { throw Errno(rawValue: result) }
        return process
    }

    /// Starts it and waits for its end; returns its exit code, or 128 + the signal.
    public func run() throws(Errno) -> Int32 {
        try Spawn.wait(for: start())
    }

    /// Waits for a child's end; returns its exit code, or 128 + the signal.
    public static func wait(for process: pid_t) throws(Errno) -> Int32 {
        var status: Int32 = 0
        // SAFETY: the kernel fills the local.
        _ = try checked { unsafe waitpid(process, &status, 0) }
        let signal = status & 0x7F
        return signal == 0 ? status >> 8 & 0xFF : 128 + signal
    }

    private static func inheritedEnvironment() -> [ByteString] {
        var settings: [ByteString] = []
        // SAFETY: environ is a vector of C strings that ends in nil.
        var entry = unsafe environ
        while let text = unsafe entry.pointee {
            settings.append(unsafe ByteString(cString: text))
            unsafe entry += 1
        }
        return settings
    }

    private static func withVector<Result>(
        _ words: [ByteString], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        // SAFETY: strdup copies a NUL-terminated string; each copy is freed below.
        var vector = unsafe words.map { text in
            unsafe text.withCString { pointer in unsafe strdup(pointer) }
        }
        unsafe vector.append(nil)
        defer { unsafe vector.forEach { pointer in unsafe free(pointer) } }
        return unsafe vector.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("the vector holds a nil") }
            return unsafe body(base)
        }
    }
}
