// From a command line to a served mount: opening what the union is made of, in an order in
// which every failure is reported with the file it concerns.

import Glibc
import LaminaCore
import LaminaFuse
import LaminaIndex
import LaminaSystem
import LaminaUnion

/// Why a mount could not be served, in one line.
struct RunError: Error, CustomStringConvertible {
    var description: String
}

/// Opens everything and serves until the mount ends.
func run(_ arguments: Arguments) throws(RunError) {
    raiseDescriptorLimit()
    let directory = SharedDescriptor(
        try opening(arguments.sandbox) { (path) throws(Errno) in
            try Descriptor.open(path, O_RDONLY | O_DIRECTORY)
        })
    let lock = try takeLock(in: directory.descriptor, arguments.sandbox)
    let root = SharedDescriptor(
        try opening(arguments.root) { (path) throws(Errno) in
            try Descriptor.open(path, O_RDONLY | O_DIRECTORY)
        })
    let redirects =
        arguments.isMount ? try SandboxRedirects.read(in: directory.descriptor, arguments.sandbox) : []
    let mode = arguments.mode(hasRedirects: !redirects.isEmpty)
    let chains = Chains(
        root: root, path: arguments.root, objectsAreGuarded: mode == .passthrough,
        verifies: arguments.verifiesOnOpen)
    let lower = try chains.open(arguments.chain)
    try refuseWhatACrashLeft(directory.descriptor, arguments)
    let isPrivileged = geteuid() == 0
    let counterFile = CounterFile(in: directory)
    let union = try openUnion(lower, directory.descriptor, arguments, counterFile.counters)
    // A mount that failed has to end cleanly too, or a volatile one would be refused from then on.
    do throws(RunError) {
        switch arguments.task {
        case .mount(let mountpoint):
            try SandboxRedirects.attach(redirects, to: union, chains, arguments)
            union.rehearse()
            var options = MountOptions(
                mountpoint: mountpoint, isReadOnly: arguments.isReadOnly, isPrivileged: isPrivileged)
            options.data = mode
            options.control = MountControl(
                directory: directory, store: arguments.root, images: chains.openImage)
            options.counters = counterFile.counters
            try serve(union, options, arguments)
        case .materialize(let all): try materialize(union, all: all || !isPrivileged, arguments)
        }
    } catch {
        try? union.close()
        throw error
    }
    do throws(Errno) {
        try union.close()
    } catch {
        throw RunError(description: "\(arguments.sandbox): cannot make durable what was written: \(error)")
    }
    _ = consume counterFile
    withExtendedLifetime(lock) {}
}

private func openUnion(
    _ lower: LowerTree, _ directory: borrowing Descriptor, _ arguments: Arguments, _ counters: Counters?
) throws(RunError) -> Union {
    do throws(Errno) {
        return try Union(
            lower: lower, upper: try directory.open("upper", OpenFlag.path | O_DIRECTORY | O_NOFOLLOW),
            work: try directory.open("work", O_RDONLY | O_DIRECTORY | O_NOFOLLOW),
            unionOptions(arguments, counters))
    } catch {
        throw RunError(description: "\(arguments.sandbox): cannot open the sandbox: \(error)")
    }
}

private func startFlush(_ union: Union, _ arguments: Arguments) throws(RunError) -> PeriodicFlush? {
    guard !arguments.isReadOnly, !arguments.isVolatile else { return nil }
    do throws(Errno) {
        return try PeriodicFlush(union)
    } catch {
        throw RunError(description: "\(arguments.sandbox): cannot start a thread: \(error)")
    }
}

/// A volatile mount that did not end cleanly may have lost anything that was written in it.
private func refuseWhatACrashLeft(
    _ sandbox: borrowing Descriptor, _ arguments: Arguments
) throws(RunError) {
    do throws(Errno) {
        guard try VolatileMarker.isPresent(in: sandbox.openDirectory("work")), !arguments.force else {
            return
        }
    } catch {
        throw RunError(description: "\(arguments.sandbox)/work: \(error)")
    }
    throw RunError(
        description: """
            was mounted volatile and did not end cleanly: what was written in it may be lost or damaged; \
            mount --force takes it as it is
            """)
}

/// Root keeps owners as its files' own. A plain user's files are all his own, and belong, where they
/// say nothing else, to what the mount shows as him.
private func unionOptions(_ arguments: Arguments, _ counters: Counters?) -> UnionOptions {
    var options = UnionOptions()
    options.isReadOnly = arguments.isReadOnly
    options.isVolatile = arguments.isVolatile
    options.ignoresCase = arguments.ignoresCase
    if let counters { options.copiedUp = { counters.count(CounterEvent($0)) } }
    if geteuid() != 0 {
        let identities = arguments.identities
        options.ownership = .recorded(
            uid: identities?.storedUser(geteuid()) ?? geteuid(),
            gid: identities?.storedGroup(getegid()) ?? getegid())
    }
    return options
}

private func serve(
    _ union: Union, _ options: MountOptions, _ arguments: Arguments
) throws(RunError) {
    var options = options
    options.identities = arguments.identities
    options.isVolatile = arguments.isVolatile
    let ready = arguments.readyDescriptor
    let flush = try startFlush(union, arguments)
    defer { withExtendedLifetime(flush) {} }
    do throws(FuseError) {
        try serve(union, options) { answer("ready\n", on: ready) }
    } catch {
        throw RunError(description: error.description)
    }
}

/// Overlayfs has no metacopy without root, so that there every file is filled.
private func materialize(_ union: Union, all: Bool, _ arguments: Arguments) throws(RunError) {
    do throws(Errno) {
        let report = try union.materialize(metacopies: all)
        answer("files \(report.files)\n", on: arguments.readyDescriptor)
    } catch {
        throw RunError(description: "\(arguments.sandbox): cannot materialize: \(error)")
    }
}

/// Tells whoever started us.
private func answer(_ text: String, on descriptor: Int32?) {
    guard let descriptor else { return }
    let word = Array(text.utf8)
    // SAFETY: the array is alive during the call.
    _ = unsafe write(descriptor, word, word.count)
    close(descriptor)
}

/// Every file that a container opens is one of ours; the soft limit is made for shells.
private func raiseDescriptorLimit() {
    var limit = rlimit()
    // SAFETY: the kernel fills and reads the local.
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}

func opening<Value: ~Copyable>(
    _ path: ByteString, _ open: (ByteString) throws(Errno) -> Value
) throws(RunError) -> Value {
    do throws(Errno) {
        return try open(path)
    } catch {
        throw RunError(description: "\(path): \(error)")
    }
}

/// Takes the sandbox's lock, which says that a server lives, and writes our pid into it.
private func takeLock(
    in sandbox: borrowing Descriptor, _ path: ByteString
) throws(RunError) -> SharedDescriptor {
    do throws(Errno) {
        let lock = try sandbox.open("lock", O_RDWR | O_CREAT, permissions: 0o600)
        // Who only looks whether a server lives holds the lock for an instant.
        var attempts = 100
        while attempts > 1, (try? lock.lock(exclusive: true, wait: false)) == nil {
            attempts -= 1
            usleep(10_000)
        }
        try lock.lock(exclusive: true, wait: false)
        try lock.truncate(to: 0)
        try lock.writeAll(Array("\(getpid())\n".utf8))
        return SharedDescriptor(lock)
    } catch Errno.wouldBlock {
        throw RunError(description: "\(path): already mounted")
    } catch {
        throw RunError(description: "\(path)/lock: \(error)")
    }
}
