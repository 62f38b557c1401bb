// Sandbox is what the library says of one writable layer on an image.

import LaminaCatalog
import LaminaCore
import LaminaSystem

/// A sandbox and its state at the moment of the call.
public struct Sandbox: Sendable, Hashable {
    /// Whether a sandbox is mounted.
    public enum State: String, Sendable, Hashable {
        /// Not mounted.
        case idle
        /// A server serves it.
        case mounted
        /// Still in the mount table, but its server has died: every access fails until `unmount`.
        case stale
        /// Lazily unmounted, its server waits for the last user to go.
        case detached
    }

    /// 64 lowercase hexadecimal digits.
    public var id: String
    public var name: String
    /// The image it was made from, which may have been removed by force since.
    public var imageID: Digest
    /// What the caller of `create` named the image.
    public var imageName: String
    public var chainID: Digest
    /// Parent layers, lowest first.
    public var diffIDs: [Digest]
    /// Seconds since the epoch.
    public var created: Int64
    public var state: State
    /// Where it is mounted; nil when `state` is `idle`.
    public var mountpoint: ByteString?
    /// Whether the mount refuses writes.
    public var readOnly: Bool
    /// Whether it is mounted volatile, or, when `state` is another than `mounted`, such a mount did not
    /// end cleanly.
    public var isVolatile: Bool
    /// The directory that holds `upper` and `work`.
    public var directory: ByteString
    /// What `Engine.run` runs in it; nil for nothing.
    public var container: RunningContainer?
    /// Volumes, binds and the like, in the order in which they were given.
    public var redirects: [Redirect]

    init(_ record: SandboxRecord, state: State, directory: ByteString) {
        id = record.id
        name = record.name
        imageID = record.image
        imageName = record.imageName
        chainID = record.chainID
        diffIDs = record.diffIDs
        created = record.created
        self.state = state
        mountpoint = state == .idle ? nil : record.mountpoint.map { ByteString($0) }
        readOnly = state != .idle && record.readOnly
        isVolatile =
            (try? FileStatus.of(directory.appending("work").appending(VolatileMarker.path))) != nil
        self.directory = directory
        redirects = record.redirects
        container = state == .mounted ? ContainerRecord.running(in: directory) : nil
    }
}
