// Session owns the connection to the kernel from mount to unmount.

import CFuse3
import Glibc
import LaminaCore
import LaminaSystem
import LaminaUnion

/// Why a mount could not be served.
public enum FuseError: Error, Hashable, Sendable, CustomStringConvertible {
    /// libfuse refused the options.
    case session
    /// The kernel refused the mount.
    case mount(ByteString, Errno)
    /// fusermount3, which mounts for plain users, refused, for the reason it gave.
    case fusermount(ByteString, ByteString)
    /// There is no fusermount3.
    case fusermountMissing
    /// The socket that takes changes of redirects could not be made.
    case control(Errno)
    /// The loop ended with an error of the connection.
    case loop(Errno)

    public var description: String {
        switch self {
        case .session: "libfuse refused the mount options"
        case .mount(let directory, .notPermitted):
            """
            \(directory): cannot mount: this process may not mount here; in a user namespace it needs a \
            mount namespace of its own too (unshare --user --mount, podman unshare)
            """
        case .mount(let directory, let error): "\(directory): cannot mount: \(error)"
        case .fusermount(let directory, let reason):
            "\(directory): cannot mount: \(reason.isEmpty ? "fusermount3 failed" : reason)"
        case .fusermountMissing:
            "fusermount3: not found; without root a mount needs it (Debian package fuse3)"
        case .control(let error): "\(RedirectChange.socket): cannot make the socket: \(error)"
        case .loop(let error): "the connection to the kernel failed: \(error)"
        }
    }
}

/// How a union is mounted.
public struct MountOptions: Sendable {
    public var mountpoint: ByteString
    public var isReadOnly: Bool
    /// Whether this process is root: other users then see the mount, and setuid files and
    /// device nodes work in it.
    public var isPrivileged: Bool

    /// How ids of the image are shown; nil shows them as they are.
    public var identities: Identities?
    /// Whether nothing is made durable until the end, so that the kernel need not ask for it.
    public var isVolatile = false
    public var data = DataMode.asked
    /// Where others ask for changes of redirects and for holds while the mount is served, if anywhere.
    public var control: MountControl?
    /// Where requests are counted, if anywhere.
    public var counters: Counters?

    public init(mountpoint: ByteString, isReadOnly: Bool, isPrivileged: Bool) {
        self.mountpoint = mountpoint
        self.isReadOnly = isReadOnly
        self.isPrivileged = isPrivileged
    }

    var text: String {
        var parts = ["default_permissions", "fsname=lamina", "subtype=lamina"]
        if isPrivileged { parts += ["allow_other", "suid", "dev"] }
        if isReadOnly { parts.append("ro") }
        return parts.joined(separator: ",")
    }
}

/// Mounts a union and answers the kernel until it is unmounted or the process gets
/// SIGTERM or SIGINT, which unmounts it.
///
/// - Parameter ready: called once, when the mount works.
public func serve(
    _ union: Union, _ options: MountOptions, ready: @escaping @Sendable () -> Void
) throws(FuseError) {
    let server = Server(union: union, options, ready: ready)
    // Permissions are those of the request, whatever this process inherited.
    umask(0)
    let session = try unsafe makeSession(server, options)
    defer { unsafe fuse_session_destroy(session) }
    _ = unsafe fuse_set_signal_handlers(session)
    defer { unsafe fuse_remove_signal_handlers(session) }
    try unsafe mount(session, options)
    defer { unsafe fuse_session_unmount(session) }
    let device = unsafe fuse_session_fd(session)
    server.passthrough.setDevice(device)
    union.whenParentIsCopied { WireReply.attributesChanged(of: $0).send(to: device) }
    server.listingAdvice.whenListingIsPoor { WireReply.listingChanged(of: $0).send(to: device) }
    defer { union.whenParentIsCopied(nil) }
    union.whenOthersChange { names, nodes in
        for name in names { WireReply.nameExpired(name).send(to: device) }
        for node in nodes { WireReply.attributesChanged(of: node).send(to: device) }
    }
    defer { union.whenOthersChange(nil) }
    var io = fuse_custom_io.lamina
    guard unsafe fuse_session_custom_io(session, &io, device) == 0 else {
        throw .session
    }
    let control: ControlSocket? =
        if let control = options.control { try startControl(server, control, device) } else { nil }
    defer { control?.close() }
    let end: LoopEnd
    do throws(Errno) {
        end = try unsafe RequestLoop(session: session, server: server).run()
    } catch {
        throw .loop(error)
    }
    // Of a connection that was handed over libfuse does not know the place.
    if !options.isPrivileged, end != .unmounted { Fusermount.unmount(options.mountpoint) }
    // SAFETY: keeps the server alive until no request can reach it.
    withExtendedLifetime(server) {}
    if case .failed(let error) = end { throw .loop(error) }
}

private func startControl(
    _ server: Server, _ control: MountControl, _ device: Int32
) throws(FuseError) -> ControlSocket {
    do throws(Errno) {
        return try ControlSocket(server, control, device)
    } catch {
        throw .control(error)
    }
}

/// Root mounts by mount(2), a plain user through fusermount3.
@unsafe
private func mount(_ session: OpaquePointer, _ options: MountOptions) throws(FuseError) {
    var place = options.mountpoint
    if !options.isPrivileged {
        let connection = try Fusermount.mount(at: options.mountpoint, options.text)
        // The session closes the connection in the end.
        place = ByteString("/dev/fd/\(connection.release())")
    }
    errno = 0
    // SAFETY: the string is NUL-terminated and copied by libfuse.
    let mounted = unsafe place.withCString { unsafe fuse_session_mount(session, $0) }
    guard mounted == 0 else {
        throw .mount(options.mountpoint, errno == 0 ? .ioError : Errno(rawValue: errno))
    }
}

@unsafe
private func makeSession(_ server: Server, _ options: MountOptions) throws(FuseError) -> OpaquePointer {
    var arguments = unsafe fuse_args()
    defer { unsafe fuse_opt_free_args(&arguments) }
    for word in ["lamina-mountd", "-o", options.text] {
        // SAFETY: libfuse copies the word.
        guard unsafe fuse_opt_add_arg(&arguments, word) == 0 else { throw .session }
    }
    var operations = fuse_lowlevel_ops.lamina
    if options.isVolatile, !server.union.hasRedirects {
        // The kernel asks once, hears that there is no such request, and reports success from then on.
        unsafe operations.fsync = nil
        unsafe operations.fsyncdir = nil
    }
    // SAFETY: libfuse copies the table; `serve` keeps the server alive beyond the loop.
    let pointer = unsafe Unmanaged.passUnretained(server).toOpaque()
    guard
        let session = unsafe fuse_session_new(
            &arguments, &operations, MemoryLayout<fuse_lowlevel_ops>.size, pointer)
    else { throw .session }
    return unsafe session
}

extension fuse_lowlevel_ops {
    /// Lamina's handlers. Built in a library, not in `main`: closures there would belong to
    /// the main actor and die on libfuse's threads.
    static var lamina: fuse_lowlevel_ops {
        var operations = fuse_lowlevel_ops()
        unsafe operations.`init` = { pointer, connection in
            unsafe start(pointer, connection)
        }
        operations.setForgetHandlers()
        operations.setCreateHandlers()
        operations.setRemoveHandlers()
        operations.setAttributeHandlers()
        operations.setExtendedAttributeHandlers()
        operations.setCloseHandlers()
        operations.setDataHandlers()
        operations.setExtentHandlers()
        operations.setDirectoryHandlers()
        return operations
    }
}

@unsafe
private func start(_ pointer: UnsafeMutableRawPointer?, _ connection: UnsafeMutablePointer<fuse_conn_info>?) {
    guard let pointer = unsafe pointer, let connection = unsafe connection else { return }
    // SAFETY: the session keeps the server alive.
    let server = unsafe Unmanaged<Server>.fromOpaque(pointer).takeUnretainedValue()
    // SAFETY: libfuse hands over its own structure for the call.
    let offered = unsafe connection.pointee.capable
    server.settle(offered: offered)
    let wanted =
        FUSE_CAP_READDIRPLUS | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_ASYNC_READ
        | FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_ASYNC_DIO | FUSE_CAP_POSIX_ACL | FUSE_CAP_DONT_MASK
        | FUSE_CAP_ATOMIC_O_TRUNC
    unsafe connection.pointee.want |= UInt32(wanted) & offered
    // What a listing brings is our own choice (`ListingAdvice`).
    unsafe connection.pointee.want &= ~UInt32(FUSE_CAP_READDIRPLUS_AUTO)
    // Pages are given up when this server says so and never by guessing from times. What others change
    // beneath redirects nobody says.
    if server.union.hasRedirects {
        unsafe connection.pointee.want |= UInt32(FUSE_CAP_AUTO_INVAL_DATA) & offered
    } else {
        unsafe connection.pointee.want &= ~UInt32(FUSE_CAP_AUTO_INVAL_DATA)
    }
    // Its second form is asked for in `WireSession`: the kernel then says whose bits must go.
    unsafe connection.pointee.want &= ~UInt32(FUSE_CAP_HANDLE_KILLPRIV)
    // Who is not asked to open cannot cut the file while opening it.
    if server.unasked.files { unsafe connection.pointee.want &= ~UInt32(FUSE_CAP_ATOMIC_O_TRUNC) }
    unsafe connection.pointee.time_gran = 1
    // Reads ahead and releases wait for nobody; the kernel's own bound is 12 at once.
    unsafe connection.pointee.max_background = 64
    server.ready()
}

extension Server {
    /// Decides, from what the kernel can, which openings it need not ask for.
    fileprivate func settle(offered: UInt32) {
        unasked.settle(
            files: data.opensUnasked && offered & UInt32(FUSE_CAP_NO_OPEN_SUPPORT) != 0,
            directories: offered & UInt32(FUSE_CAP_NO_OPENDIR_SUPPORT) != 0)
    }
}
