// Writing the bundle of a mounted sandbox.

import Foundation
import Glibc
import LaminaCatalog
import LaminaCore
import LaminaStore
import LaminaSystem

extension Engine {
    /// Writes `config.json` of an OCI runtime bundle into a directory, which is made: a container whose root is
    /// the sandbox's mount.
    ///
    /// Throws `failure` when the sandbox is not mounted or nothing says what to run, `notFound` for a user that
    /// its files do not know.
    public func bundle(
        _ name: String, in directory: ByteString, _ options: RunOptions = RunOptions()
    ) throws(LaminaError) {
        let sandbox = try sandbox(name)
        guard sandbox.state == .mounted, let mountpoint = sandbox.mountpoint else {
            throw LaminaError(.failure, name, "is not mounted; mount it first")
        }
        let bytes = try bundle(of: sandbox, at: mountpoint, options).bytes
        try Self.system(directory) { () throws(Errno) in
            try Descriptor.workingDirectory().makeDirectories(directory)
            let file = try Descriptor.open(
                directory.appending("config.json"), O_WRONLY | O_CREAT | O_TRUNC, permissions: 0o644)
            try file.writeAll(bytes)
        }
    }

    func bundle(
        of sandbox: Sandbox, at mountpoint: ByteString, _ options: RunOptions
    ) throws(LaminaError) -> RuntimeBundle {
        let image = try process(of: sandbox)
        let root = try Self.system(mountpoint) { () throws(Errno) in
            try Descriptor.open(mountpoint, OpenFlag.path | O_DIRECTORY)
        }
        let user = try ContainerUser(options.user ?? image.user, in: root)
        let entrypoint = options.entrypoint.map { $0.isEmpty ? [] : [$0] } ?? image.entrypoint
        let command =
            options.command.isEmpty && options.entrypoint == nil ? image.command : options.command
        guard !(entrypoint + command).isEmpty else {
            throw LaminaError(.failure, sandbox.name, "no command specified: neither here nor by the image")
        }
        var environment = image.environment
        for setting in options.environment {
            let key = String(setting.prefix { $0 != "=" })
            environment.removeAll { $0.hasPrefix("\(key)=") }
            if setting.contains("=") {
                environment.append(setting)
            } else if let value = ProcessInfo.processInfo.environment[key] {
                environment.append("\(key)=\(value)")
            }
        }
        return RuntimeBundle(
            root: mountpoint, hostname: String(sandbox.id.prefix(12)), user: user,
            arguments: entrypoint + command, environment: environment,
            workingDirectory: options.workingDirectory ?? image.workingDirectory, options: options)
    }

    /// An image that was removed by force says nothing any more.
    private func process(of sandbox: Sandbox) throws(LaminaError) -> ImageProcess {
        let image = try catalogue { catalog throws(CatalogError) in try catalog.image(id: sandbox.imageID) }
        let name = "config \(sandbox.imageID)"
        guard image != nil else {
            return try DocumentParsing.parse(ImageProcess.self, from: Array("{}".utf8), named: name)
        }
        let bytes = try Self.storing(name) { () throws(StoreError) in try store.readBlob(sandbox.imageID) }
        return try DocumentParsing.parse(ImageProcess.self, from: bytes, named: name)
    }
}
