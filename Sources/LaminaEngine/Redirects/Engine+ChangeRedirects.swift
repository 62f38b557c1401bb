// Adding and removing the redirects of a sandbox that is there, mounted or not. What is recorded is what the next
// mount serves; the server of a mounted one is told besides.

import Glibc
import LaminaCatalog
import LaminaCore
import LaminaStore
import LaminaSystem

extension Engine {
    /// Adds redirects to a sandbox; returns those that were added. New volumes are made with them.
    ///
    /// Throws as `create` does; `usage` for a target where one stands; `busy` for a sandbox whose server has died.
    @discardableResult
    public func addRedirects(
        _ requests: [RedirectRequest], to name: String, allowSpecial: Bool = false
    ) throws(LaminaError) -> [Redirect] {
        let lock = try SandboxLock(sandbox(name), called: name)
        let sandbox = try sandbox(name)
        try checkChangeable(sandbox, called: name)
        let lease = try lease()
        let known = sandbox.redirects.map(\.target)
        let plan = try plan(requests, besides: known, allowSpecial: allowSpecial)
        if plan.redirects.isEmpty { throw LaminaError(.usage, name, "no redirect is left to add") }
        let staged = try Self.storing("volumes") { () throws(StoreError) in
            plan.volumes.isEmpty ? nil : try store.stageVolumes(plan.volumes.map(\.name))
        }
        // Recorded first: a crash between this and the server's answer leaves what the next mount serves.
        try catalogue { catalog throws(CatalogError) in
            try catalog.add(plan.redirects, to: sandbox.id, volumes: plan.volumes) { name throws(Errno) in
                try staged?.place(name)
            }
        }
        if sandbox.state == .mounted { try serve(plan.redirects, in: sandbox, called: name) }
        _ = consume lease
        lock.end()
        return plan.redirects
    }

    /// Takes the redirect at `target` from a sandbox. Its volume stays.
    ///
    /// - Parameter lazy: whether it goes although it is in use; files that are open stay so.
    /// Throws `notFound` where none stands, `busy` while it is in use.
    public func removeRedirect(
        at target: ByteString, of name: String, lazy: Bool = false
    ) throws(LaminaError) {
        let lock = try SandboxLock(sandbox(name), called: name)
        let sandbox = try sandbox(name)
        try checkChangeable(sandbox, called: name)
        let target = LexicalPath.clean(target)
        guard sandbox.redirects.contains(where: { $0.target == target }) else {
            throw LaminaError(.notFound, name, "has no redirect at \(target)")
        }
        if sandbox.state == .mounted {
            switch try tell(.remove(target: target, lazy: lazy), to: sandbox, called: name) {
            // Another one may have taken its place where symlinks meet.
            case .done, .absent: break
            case .busy(let reason):
                throw LaminaError(.busy, name, "\(reason); --lazy removes it all the same")
            case .failed(let reason): throw LaminaError(.failure, name, reason)
            }
        }
        _ = try catalogue { catalog throws(CatalogError) in
            try catalog.removeRedirect(at: target, of: sandbox.id)
        }
        lock.end()
    }

    private func checkChangeable(_ sandbox: Sandbox, called name: String) throws(LaminaError) {
        switch sandbox.state {
        case .idle, .mounted: return
        case .stale:
            throw LaminaError(.busy, name, "its server has died; run lamina umount \(name) first")
        case .detached: throw LaminaError(.busy, name, "was unmounted lazily and is still in use")
        }
    }

    /// Has the server add what was recorded; what it refuses is not recorded any more.
    private func serve(
        _ redirects: [Redirect], in sandbox: Sandbox, called name: String
    ) throws(LaminaError) {
        // As at a mount: those first in which others lie.
        var rest = redirects.sorted { $0.target.components.count < $1.target.components.count }[...]
        do throws(LaminaError) {
            while let redirect = rest.first {
                switch try tell(.add(try placed(redirect)), to: sandbox, called: name) {
                case .done: rest = rest.dropFirst()
                case .busy(let reason), .failed(let reason): throw LaminaError(.failure, name, reason)
                case .absent: throw LaminaError(.failure, name, "its server gave no answer")
                }
            }
        } catch {
            for redirect in rest {
                _ = try? catalog.removeRedirect(at: redirect.target, of: sandbox.id)
            }
            throw error
        }
    }

    private func tell(
        _ change: RedirectChange, to sandbox: Sandbox, called name: String
    ) throws(LaminaError) -> RedirectChange.Outcome {
        do throws(Errno) {
            let connection = try Descriptor.open(sandbox.directory, OpenFlag.path | O_DIRECTORY)
                .connect(to: RedirectChange.socket)
            try connection.send(change.encoded)
            while let message = try connection.receive(
                limit: RedirectChange.longest, milliseconds: MountServer.startMilliseconds)
            {
                if message.isEmpty { throw .connectionReset }
                if let outcome = RedirectChange.Outcome(message) { return outcome }
            }
        } catch {
            throw LaminaError(.failure, name, "its server takes no changes: \(error)")
        }
        throw LaminaError(.failure, name, "its server did not answer within 30 seconds")
    }
}
