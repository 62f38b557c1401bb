// RuntimeBundle owns the document from which crun and runc make a container (OCI runtime specification 1.0,
// `config.md`, `config-linux.md`): namespaces, cgroups and capabilities are theirs to make.

import Foundation
import LaminaCore

/// `config.json` of a bundle.
struct RuntimeBundle {
    /// Docker's default set.
    private static let capabilities = [
        "CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL",
        "CAP_MKNOD",
        "CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID",
        "CAP_SYS_CHROOT",
    ]
    private static let maskedPaths = [
        "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
        "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
    ]
    private static let readOnlyPaths = [
        "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
    ]
    /// What is looked through for programs where the image does not say it.
    private static let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    var root: ByteString
    var hostname: String
    var user: ContainerUser
    var arguments: [String]
    var environment: [String]
    var workingDirectory: String
    var options: RunOptions

    var bytes: [UInt8] {
        JSONBytes.of([
            "ociVersion": "1.0.2", "hostname": hostname,
            "root": ["path": root.text, "readonly": options.readOnly] as [String: Any],
            "process": process, "mounts": Self.mounts,
            "linux": [
                // The network is the host's: there is nothing here that could connect another one.
                "namespaces": ["pid", "ipc", "uts", "mount"].map { ["type": $0] },
                "maskedPaths": Self.maskedPaths, "readonlyPaths": Self.readOnlyPaths,
                "resources": ["devices": [["allow": false, "access": "rwm"] as [String: Any]]],
            ] as [String: Any],
        ])
    }

    /// Where programs are looked for that are named without a slash.
    var searchPath: String {
        environment.last { $0.hasPrefix("PATH=") }.map { String($0.dropFirst(5)) } ?? Self.path
    }

    private var process: [String: Any] {
        var environment = environment
        func set(_ name: String, _ value: String) {
            if !environment.contains(where: { $0.hasPrefix("\(name)=") }) {
                environment.append("\(name)=\(value)")
            }
        }
        set("PATH", Self.path)
        set("HOME", user.home)
        set("HOSTNAME", hostname)
        if options.hasTerminal { set("TERM", "xterm") }
        let granted = user.uid == 0 ? Self.capabilities : []
        return [
            "terminal": options.hasTerminal, "args": arguments, "env": environment, "cwd": workingDirectory,
            "user": ["uid": user.uid, "gid": user.gid, "additionalGids": user.groups] as [String: Any],
            "capabilities": [
                "bounding": Self.capabilities, "effective": granted, "permitted": granted,
            ], "noNewPrivileges": false,
        ]
    }

    private static var mounts: [[String: Any]] {
        func mount(_ place: String, _ type: String, _ options: [String]) -> [String: Any] {
            ["destination": place, "type": type, "source": type, "options": options]
        }
        return [
            mount("/proc", "proc", ["nosuid", "noexec", "nodev"]),
            mount("/dev", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
            mount(
                "/dev/pts", "devpts",
                ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
            mount("/dev/shm", "tmpfs", ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]),
            mount("/dev/mqueue", "mqueue", ["nosuid", "noexec", "nodev"]),
            mount("/sys", "sysfs", ["nosuid", "noexec", "nodev", "ro"]),
        ]
    }
}

/// The part of an image's config that says what runs (OCI image specification, `config.md`).
struct ImageProcess: Decodable {
    private struct Container: Decodable {
        var user: String?
        var env: [String]?
        var entrypoint: [String]?
        var cmd: [String]?
        var workingDir: String?

        enum CodingKeys: String, CodingKey {
            case user = "User"
            case env = "Env"
            case entrypoint = "Entrypoint"
            case cmd = "Cmd"
            case workingDir = "WorkingDir"
        }
    }

    private var config: Container?

    var user: String { config?.user ?? "" }
    var environment: [String] { config?.env ?? [] }
    var entrypoint: [String] { config?.entrypoint ?? [] }
    var command: [String] { config?.cmd ?? [] }
    var workingDirectory: String { config?.workingDir.flatMap { $0.isEmpty ? nil : $0 } ?? "/" }
}
