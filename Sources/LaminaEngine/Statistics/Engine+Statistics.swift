// Reading the counters of mounts: from the memory that a server shares, without asking it.

import Glibc
import LaminaCore
import LaminaSystem

extension Engine {
    /// What the server of a mounted sandbox counted. Costs the server nothing.
    ///
    /// Throws `failure` when it is not mounted or its server has died, or when this process may not look,
    /// `badInput` when what is there are no counters of this version.
    public func statistics(of name: String) throws(LaminaError) -> MountStatistics {
        let sandbox = try sandbox(name)
        switch sandbox.state {
        case .mounted, .detached: break
        case .idle: throw LaminaError(.failure, name, "is not mounted")
        case .stale:
            throw LaminaError(.failure, name, "its server has died; run lamina umount \(name)")
        }
        guard let statistics = try statistics(of: sandbox, called: name) else {
            throw LaminaError(.failure, name, "is not mounted")
        }
        return statistics
    }

    /// The counters of all mounted sandboxes, newest sandbox first. O(sandboxes + mounts).
    public func statistics() throws(LaminaError) -> [MountStatistics] {
        var result: [MountStatistics] = []
        for sandbox in try sandboxes() where sandbox.state == .mounted || sandbox.state == .detached {
            if let statistics = try statistics(of: sandbox, called: sandbox.name) {
                result.append(statistics)
            }
        }
        return result
    }

    /// Nil when the server ended meanwhile.
    private func statistics(
        of sandbox: Sandbox, called name: String
    ) throws(LaminaError) -> MountStatistics? {
        let process = MountServer.processID(in: sandbox.directory)
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try Self.counterBytes(in: sandbox.directory)
        } catch {
            if !MountServer.isAlive(in: sandbox.directory) { return nil }
            throw LaminaError(
                .failure, name, "cannot read its server's counters: \(error)", cause: error)
        }
        let counters: CounterSnapshot
        do throws(CounterFileError) {
            counters = try CounterSnapshot(bytes.raw)
        } catch {
            throw LaminaError(.badInput, "\(sandbox.directory)/stats", "\(error)", cause: error)
        }
        // The link of a server that was killed may lead to another one's.
        guard counters.process == process else {
            if !MountServer.isAlive(in: sandbox.directory) { return nil }
            throw LaminaError(.badInput, "\(sandbox.directory)/stats", "counters of another server")
        }
        var time = timespec()
        // SAFETY: fills the local.
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return MountStatistics(
            sandbox: sandbox, counters: counters, residentBytes: Self.residentBytes(of: process),
            now: UInt64(clamping: time.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: time.tv_nsec))
    }

    /// - Throws: `EBADMSG` for what is no file of the one length that there is.
    private static func counterBytes(in directory: ByteString) throws(Errno) -> [UInt8] {
        // Neither a pipe nor a terminal must hold us up.
        let file = try Descriptor.open(directory.appending("stats"), O_RDONLY | O_NONBLOCK | O_NOCTTY)
        let status = try file.status()
        guard status.type == .regular, status.size == Int64(CounterFormat.fileSize) else { throw .badMessage }
        return try file.readBytes(at: 0, count: CounterFormat.fileSize)
    }

    private static func residentBytes(of process: pid_t?) -> UInt64? {
        guard let process,
            let file = try? Descriptor.open(ByteString("/proc/\(process)/statm"), O_RDONLY),
            let text = try? file.readBytes(at: 0, count: 128)
        else { return nil }
        let numbers = text.split(separator: UInt8(ascii: " "))
        guard numbers.count > 1, let pages = UInt64(String(decoding: numbers[1], as: UTF8.self)) else {
            return nil
        }
        return pages.multipliedReportingOverflow(by: UInt64(clamping: sysconf(Int32(_SC_PAGESIZE))))
            .partialValue
    }
}
