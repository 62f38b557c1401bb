// What a mount does while its server sleeps: whoever gets an answer then has it from the kernel.

import Glibc
import LaminaSystem
import LaminaTestSupport
import Synchronization

extension MountedSandbox {
    /// Runs `body` with the server stopped; whether it came to its end like that. If not, the server
    /// is woken after three seconds, and `body` goes on.
    func whileServerSleeps(_ body: () throws -> Void) throws -> Bool {
        let watch = Watch(server: try server())
        kill(watch.server, SIGSTOP)
        let alarm = try Worker(watch) { watch in watch.run() }
        let outcome = Result { try body() }
        watch.isDone.store(true, ordering: .releasing)
        alarm.join()
        try outcome.get()
        return !watch.wasNeeded.load(ordering: .acquiring)
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
