// Running a program in a sandbox, through a runtime of the system's, until it ends.

import Glibc
import LaminaCore
import LaminaSystem

extension Engine {
    /// Mounts a sandbox, runs a program in it with the caller's standard streams, waits for its end and unmounts the
    /// sandbox; returns the program's exit code, or 128 + its signal. SIGTERM, SIGINT and SIGHUP go to the program.
    ///
    /// - Parameter started: called when the program is there, or was.
    /// Throws `notFound` when there is no runtime or the image's user is unknown, `busy` while the sandbox is mounted,
    /// `programNotFound` and `programUnusable` for what the sandbox has no program of, `failure` when the runtime does
    /// not start the container for another reason; it has then said why on the standard error. A sandbox
    /// of which `options.removesSandbox` is goes in any case.
    public func run(
        _ name: String, runtime: ContainerRuntime? = nil, _ options: RunOptions = RunOptions(),
        started: @escaping @Sendable () -> Void = {}
    ) throws(LaminaError) -> Int32 {
        let sandbox = try sandbox(name)
        // Before there are threads, each of which would take a signal.
        let forwarder = SignalForwarder()
        defer { forwarder.end() }
        let result: Result<Int32, LaminaError>
        do throws(LaminaError) {
            let program = try ContainerRuntime.locate(runtime)
            let record = try ContainerRecord(of: sandbox, called: name, runtime: program)
            var settings = MountSettings()
            settings.verifiesOnOpen = options.verifiesOnOpen
            try mount(sandbox.id, settings)
            result = attempt { () throws(LaminaError) in
                try bundle(sandbox.id, in: ContainerRuntime.bundle(in: sandbox.directory), options)
                return try wait(for: program, sandbox, options, forwarder, started)
            }
            ContainerRuntime.clear(sandbox.directory)
            try unmountAfterRun(sandbox.id)
            if options.removesSandbox { try remove(sandbox.id, volumes: true) }
            record.end()
        } catch {
            if options.removesSandbox { _ = try? remove(sandbox.id, force: true, volumes: true) }
            throw error
        }
        return try result.get()
    }

    private func attempt(
        _ body: () throws(LaminaError) -> Int32
    ) -> Result<Int32, LaminaError> {
        do throws(LaminaError) { return .success(try body()) } catch { return .failure(error) }
    }

    /// The container's last processes may be on their way out of the mount.
    func unmountAfterRun(_ id: String) throws(LaminaError) {
        for attempt in 0..<100 {
            let sandbox = try sandbox(id)
            if sandbox.state == .idle { return }
            // A commit that takes longer has all that it needs of the mount.
            let lock = try? SandboxLock(sandbox, called: sandbox.name)
            defer { _ = lock }
            do throws(LaminaError) {
                return try unmount(sandbox, called: sandbox.name, lazy: false)
            } catch {
                guard error.code == .busy, attempt < 99 else { throw error }
                usleep(20_000)
            }
        }
    }

    private func wait(
        for program: ByteString, _ sandbox: Sandbox, _ options: RunOptions, _ forwarder: SignalForwarder,
        _ started: @escaping @Sendable () -> Void
    ) throws(LaminaError) -> Int32 {
        let processFile = ContainerRuntime.processFile(in: sandbox.directory)
        var command = Spawn(
            program,
            [
                "--root", ContainerRuntime.state(in: sandbox.directory), "run", "--pid-file", processFile,
                "--bundle", ContainerRuntime.bundle(in: sandbox.directory), ByteString(sandbox.id),
            ])
        let isThere: @Sendable () -> Bool = { (try? FileStatus.of(processFile)) != nil }
        let code = try Self.system(program) { () throws(Errno) in
            let input = try Descriptor.open("/dev/null", O_RDONLY).duplicate(from: 10)
            let hasInput = options.isInteractive || options.hasTerminal
            command.descriptors = [(0, hasInput ? 0 : input.rawValue), (1, 1), (2, 2)]
            let process = try command.start()
            forwarder.start(to: process)
            defer { forwarder.forget() }
            return try Self.wait(for: process, untilThere: isThere, started)
        }
        guard isThere() else { throw failure(of: program, code, sandbox, options) }
        return code
    }

    /// Why a runtime that ended with `code` did not start a program.
    private func failure(
        of runtime: ByteString, _ code: Int32, _ sandbox: Sandbox, _ options: RunOptions
    ) -> LaminaError {
        if let place = sandbox.mountpoint ?? (try? self.sandbox(sandbox.id).mountpoint),
            let root = try? Descriptor.open(place, OpenFlag.path | O_DIRECTORY),
            let bundle = try? bundle(of: sandbox, at: place, options), let name = bundle.arguments.first
        {
            switch ProgramSearch.look(for: bundle, in: root) {
            case .absent: return LaminaError(.programNotFound, name, "no such program in the sandbox")
            case .unusable: return LaminaError(.programUnusable, name, "cannot be executed in the sandbox")
            case .found: break
            }
        }
        let name = runtime.components.last ?? runtime
        return LaminaError(.failure, "\(name)", "did not start the container (exit code \(code))")
    }

    private static func wait(
        for process: pid_t, untilThere isThere: @escaping @Sendable () -> Bool,
        _ started: @escaping @Sendable () -> Void
    ) throws(Errno) -> Int32 {
        let watch = try Worker(()) { _ in
            // Ends with the process, which is waited for below, at the latest.
            while !isThere(), kill(process, 0) == 0 { usleep(5_000) }
            if isThere() { started() }
        }
        let code = try Spawn.wait(for: process)
        watch.join()
        return code
    }
}
