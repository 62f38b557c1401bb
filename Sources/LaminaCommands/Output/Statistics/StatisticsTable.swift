// StatisticsTable writes a mount's counters for people.

import LaminaCore
import LaminaEngine

enum StatisticsTable {
    /// A row for each mount.
    static func overview(_ mounts: [MountStatistics]) -> [String] {
        var table = Table([
            "SANDBOX ID", "NAME", "REQUESTS", "ERRORS", "MEAN", "99%", "READ", "WRITTEN", "COPY-UPS",
            "MEMORY",
        ])
        for mount in mounts {
            let total = mount.counters.total
            let copies = [CounterEvent.copiedWhole, .copiedByBlock, .copiedMetadata]
                .reduce(UInt64(0)) { $0 &+ mount.counters.count(of: $1) }
            table.add([
                String(mount.sandbox.id.prefix(12)), mount.sandbox.name, "\(total.requests)",
                "\(total.errors)",
                mean(total), bound(total, 99), size(mount.counters.bytesRead),
                size(mount.counters.bytesWritten),
                "\(copies)", mount.residentBytes.map(size) ?? "",
            ])
        }
        return table.lines()
    }

    /// Everything of one mount.
    static func details(_ mount: MountStatistics) -> [String] {
        let counters = mount.counters
        var facts = Table([])
        func fact(_ name: String, _ value: String) { facts.add([name, value]) }
        fact("Sandbox", "\(mount.sandbox.name) (\(mount.sandbox.id.prefix(12)))")
        fact("Mounted", Format.age(counters.started))
        fact(
            "Server",
            "process \(counters.process)\(mount.residentBytes.map { ", \(size($0)) resident" } ?? "")")
        fact("Opens", "\(counters.count(of: .passthroughOpen)) passthrough, \(counters.otherOpens) others")
        fact("Bytes", "\(size(counters.bytesRead)) read, \(size(counters.bytesWritten)) written")
        fact(
            "Copy-ups",
            """
            \(counters.count(of: .copiedWhole)) whole, \(counters.count(of: .copiedByBlock)) block by block, \
            \(counters.count(of: .copiedMetadata)) metadata only
            """)
        let oldest = mount.oldestWork.map { ", the oldest for \(time($0))" } ?? ""
        fact("In work", "\(counters.work.count)\(oldest)")
        var table = Table(["REQUEST", "COUNT", "ERRORS", "MEAN", "50%", "99%", "BYTES"])
        for operation in counters.operations.sorted(by: { $0.requests > $1.requests }) {
            table.add(row(FuseOpcode.name(operation.opcode), operation))
        }
        table.add(row("all", counters.total))
        return Array(facts.lines().dropFirst()) + [""] + table.lines()
    }

    private static func row(_ name: String, _ operation: CounterSnapshot.Operation) -> [String] {
        [
            name, "\(operation.requests)", "\(operation.errors)", mean(operation), bound(operation, 50),
            bound(operation, 99), size(operation.bytes),
        ]
    }

    private static func size(_ bytes: UInt64) -> String { Format.size(Int64(clamping: bytes)) }

    private static func mean(_ operation: CounterSnapshot.Operation) -> String {
        operation.mean.map(time) ?? "-"
    }

    /// "<8µs": the upper end of the bucket in which the percentage is reached.
    private static func bound(_ operation: CounterSnapshot.Operation, _ percent: UInt64) -> String {
        operation.bound(percent: percent).map { "<" + time($0 &* 1000) } ?? "-"
    }

    /// Nanoseconds in a unit that leaves a short number.
    static func time(_ nanoseconds: UInt64) -> String {
        let microseconds = nanoseconds / 1000
        if nanoseconds < 10_000 { return "\(microseconds).\(nanoseconds % 1000 / 100)µs" }
        if microseconds < 10_000 { return "\(microseconds)µs" }
        if microseconds < 10_000_000 { return "\(microseconds / 1000)ms" }
        return "\(microseconds / 1_000_000)s"
    }
}
