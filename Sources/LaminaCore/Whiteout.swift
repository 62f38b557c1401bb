// The names by which a layer says that something below it is gone.

/// Whiteout names of a layer tar (OCI image specification, `layer.md`, "Whiteouts") and
/// their form in a tree (kernel `Documentation/filesystems/overlayfs.rst`).
public enum Whiteout {
    /// `.wh.NAME` hides NAME of the layers below.
    public static let prefix: ByteString = ".wh."
    /// `.wh..wh..opq` hides everything the layers below have in its directory.
    public static let opaqueMarker: ByteString = ".wh..wh..opq"
    /// Names with this prefix are metadata of AUFS and carry no content.
    public static let metadataPrefix: ByteString = ".wh..wh."

    /// The xattr, with value `y`, of a directory that hides what is below it.
    public static let opaqueAttribute: ByteString = "trusted.overlay.opaque"
    /// The xattr of a file whose bytes are elsewhere.
    public static let metacopyAttribute: ByteString = "trusted.overlay.metacopy"
    /// The xattr that says where: `/ab/cdef…` below `objects/`.
    public static let redirectAttribute: ByteString = "trusted.overlay.redirect"
    /// The namespace that belongs to the union and not to the container.
    public static let attributePrefix: ByteString = "trusted.overlay."
    /// A layer's own `trusted.overlay.x` is kept as `trusted.overlay.overlay.x`.
    public static let escapedAttributePrefix: ByteString = "trusted.overlay.overlay."
}
