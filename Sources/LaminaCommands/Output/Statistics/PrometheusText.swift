// PrometheusText writes counters in Prometheus's text format 0.0.4 (its "Exposition formats"): all samples
// of a metric in one group, behind one HELP and one TYPE line.

import LaminaCore
import LaminaEngine

enum PrometheusText {
    static func text(_ mounts: [MountStatistics]) -> String {
        var output = ""
        func metric(
            _ name: String, _ type: String, _ help: String, _ samples: (MountStatistics) -> [(String, String)]
        ) {
            output += "# HELP lamina_\(name) \(help)\n# TYPE lamina_\(name) \(type)\n"
            for mount in mounts {
                let labels = "sandbox=\"\(mount.sandbox.id)\",name=\"\(escaped(mount.sandbox.name))\""
                for (more, value) in samples(mount) {
                    output += "lamina_\(name){\(labels)\(more.isEmpty ? "" : ",")\(more)} \(value)\n"
                }
            }
        }
        func byRequest(_ mount: MountStatistics, _ value: (CounterSnapshot.Operation) -> UInt64) -> [(
            String, String
        )] {
            mount.counters.operations.map { (label($0), "\(value($0))") }
        }
        metric("requests_total", "counter", "Requests of the kernel.") { byRequest($0) { $0.requests } }
        metric("request_errors_total", "counter", "Requests answered with an error.") {
            byRequest($0) { $0.errors }
        }
        metric("request_bytes_total", "counter", "Bytes that writes brought and other requests took.") {
            byRequest($0) { $0.bytes }
        }
        output += histogram(mounts)
        metric("requests_in_work", "gauge", "Requests without an answer yet.") {
            [("", "\($0.counters.work.count)")]
        }
        metric("opens_total", "counter", "Opened files by who reads and writes their bytes.") { mount in
            [
                ("data=\"passthrough\"", "\(mount.counters.count(of: .passthroughOpen))"),
                ("data=\"server\"", "\(mount.counters.otherOpens)"),
            ]
        }
        metric("copy_ups_total", "counter", "Copies of the layers' nodes into the sandbox.") { mount in
            [("whole", CounterEvent.copiedWhole), ("block", .copiedByBlock), ("metadata", .copiedMetadata)]
                .map {
                    ("kind=\"\($0.0)\"", "\(mount.counters.count(of: $0.1))")
                }
        }
        metric("server_resident_bytes", "gauge", "Memory of the server that is resident.") { mount in
            mount.residentBytes.map { [("", "\($0)")] } ?? []
        }
        metric("server_start_time_seconds", "gauge", "When the server started, in seconds since the epoch.") {
            [("", "\($0.counters.started)")]
        }
        return output
    }

    /// The time of answers: a histogram has three names, which stand together for each set of labels.
    private static func histogram(_ mounts: [MountStatistics]) -> String {
        let name = "lamina_request_duration_seconds"
        var output = "# HELP \(name) Time from reading a request to its answer.\n# TYPE \(name) histogram\n"
        for mount in mounts {
            for operation in mount.counters.operations where operation.answered > 0 {
                let labels =
                    "sandbox=\"\(mount.sandbox.id)\",name=\"\(escaped(mount.sandbox.name))\",\(label(operation))"
                var sum: UInt64 = 0
                for (index, count) in operation.buckets.dropLast().enumerated() {
                    sum &+= count
                    output += "\(name)_bucket{\(labels),le=\"\(seconds(1000 << UInt64(index)))\"} \(sum)\n"
                }
                output += "\(name)_bucket{\(labels),le=\"+Inf\"} \(operation.answered)\n"
                output += "\(name)_sum{\(labels)} \(seconds(operation.nanoseconds))\n"
                output += "\(name)_count{\(labels)} \(operation.answered)\n"
            }
        }
        return output
    }

    private static func label(_ operation: CounterSnapshot.Operation) -> String {
        "request=\"\(FuseOpcode.name(operation.opcode))\""
    }

    /// Exact, as a decimal number.
    private static func seconds(_ nanoseconds: UInt64) -> String {
        let fraction = String(nanoseconds % 1_000_000_000)
        return "\(nanoseconds / 1_000_000_000)." + String(repeating: "0", count: 9 - fraction.count)
            + fraction
    }

    /// A label's value: backslash, quote and newline are escaped.
    static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.append(character)
            }
        }
        return result
    }
}
