// StatisticsFields owns the names under which counters appear in JSON.

import LaminaCore
import LaminaEngine

enum StatisticsFields {
    /// Everything of one mount.
    static func all(_ mount: MountStatistics) -> [String: Any] {
        let counters = mount.counters
        var fields: [String: Any] = [
            "ID": mount.sandbox.id, "Name": mount.sandbox.name, "Process": Int(counters.process),
            "StartedAt": Format.time(counters.started),
            "Requests": counters.operations.reduce(into: [String: Any]()) { all, operation in
                all[FuseOpcode.name(operation.opcode)] = Self.operation(operation)
            },
            "InWork": counters.work.count,
            "OldestWorkNanoseconds": mount.oldestWork ?? 0,
            "CopyUps": [
                "Whole": counters.count(of: .copiedWhole), "ByBlock": counters.count(of: .copiedByBlock),
                "Metadata": counters.count(of: .copiedMetadata),
            ] as [String: Any],
            "BytesRead": counters.bytesRead, "BytesWritten": counters.bytesWritten,
        ]
        fields["Opens"] = opens(counters)
        if let resident = mount.residentBytes { fields["ResidentBytes"] = resident }
        return fields
    }

    /// How files were opened, for `lamina inspect` too.
    static func opens(_ counters: CounterSnapshot) -> [String: Any] {
        ["Passthrough": counters.count(of: .passthroughOpen), "Other": counters.otherOpens]
    }

    /// Element n of the histogram is how many answers took less than 2^n microseconds and not less than
    /// half of that; the last one has no upper end.
    private static func operation(_ operation: CounterSnapshot.Operation) -> [String: Any] {
        [
            "Count": operation.requests, "Errors": operation.errors, "Nanoseconds": operation.nanoseconds,
            "Bytes": operation.bytes, "Histogram": operation.buckets,
        ]
    }
}
