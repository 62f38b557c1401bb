// Where the mark of a volatile mount stands, for the modules that make it and that look for it.

/// The mark of a sandbox that nothing makes durable.
public enum VolatileMarker {
    /// Below the sandbox's `work`, which is overlayfs's `workdir`: the directory that overlayfs makes
    /// for the same purpose (kernel `overlayfs.rst`, "Volatile mount"), so that each refuses what the
    /// other left.
    public static let path: ByteString = "work/incompat/volatile"
}
