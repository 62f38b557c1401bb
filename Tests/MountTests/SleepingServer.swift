// What a mount does while its server sleeps: whoever gets an answer then has it from the kernel.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Synchronization

extension MountedSandbox {
    /// Runs `body` with the server stopped; whether it came to its end like that. If not, the server
    /// is woken after three seconds, and `body` goes on.
    func whileServerSleeps(_ body: () throws -> Void) throws -> Bool {
        let watch = Watch(server: try server())
        try stop(watch.server)
        let alarm = try Worker(watch) { watch in watch.run() }
        let outcome = Result { try body() }
        watch.isDone.store(true, ordering: .releasing)
        alarm.join()
        try outcome.get()
        return !watch.wasNeeded.load(ordering: .acquiring)
    }
}

/// Stops all threads of a process, one of which may just be on another core.
private func stop(_ process: pid_t) throws {
    kill(process, SIGSTOP)
    let tasks = try Descriptor.open(ByteString("/proc/\(process)/task"), O_RDONLY | O_DIRECTORY)
    for task in try tasks.entries() {
        var attempts = 1_000
        while attempts > 0 {
            let text = try tasks.open(task.name.appending("stat"), O_RDONLY).readAll(limit: 4096)
            // `PID (NAME) STATE …`
            let state = text.lastIndex(of: UInt8(ascii: ")")).map { text[($0 + 2)...].first }
            if state == UInt8(ascii: "T") { break }
            usleep(1_000)
            attempts -= 1
        }
    }
}

private final class Watch: Sendable {
    let server: pid_t
    let isDone = Atomic<Bool>(false)
    let wasNeeded = Atomic<Bool>(false)

    init(server: pid_t) {
        self.server = server
    }

    func run() {
        for _ in 0..<300 where !isDone.load(ordering: .acquiring) { usleep(10_000) }
        if !isDone.load(ordering: .acquiring) { wasNeeded.store(true, ordering: .releasing) }
        kill(server, SIGCONT)
    }
}
