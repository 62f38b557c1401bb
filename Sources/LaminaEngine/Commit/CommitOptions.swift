// What a commit may be told.

import LaminaCodec

/// How layers that Lamina makes are compressed.
public struct LayerCompression: Sendable, Hashable {
    public enum Codec: String, Sendable, Hashable, CaseIterable {
        case zstd
        case gzip
        /// Fast, and known to Lamina only: no specification names it.
        case lz4
        case none
    }

    public var codec: Codec
    /// zstd 1 to 19, gzip 0 to 3 (ISA-L's), lz4 0 to 12; nil for the codec's default.
    public var level: Int32?

    /// Throws `usage` for a level that the codec does not have.
    public init(_ codec: Codec = .zstd, level: Int32? = nil) throws(LaminaError) {
        self.codec = codec
        self.level = level
        guard let level else { return }
        guard let levels = EncoderSettings.levels(of: compression) else {
            throw LaminaError(.usage, "--level", "\(codec.rawValue) has no levels")
        }
        guard levels.contains(level) else {
            throw LaminaError(
                .usage, "--level",
                "\(level) is no level of \(codec.rawValue), only \(levels.lowerBound) to \(levels.upperBound)"
            )
        }
    }

    /// zstd at its default level.
    public static let standard = LayerCompression(codec: .zstd)

    private init(codec: Codec) {
        self.codec = codec
    }

    var compression: Compression {
        switch codec {
        case .zstd: .zstd
        case .gzip: .gzip
        case .lz4: .lz4
        case .none: .none
        }
    }
}

/// How a sandbox becomes an image.
public struct CommitOptions: Sendable {
    public var author: String?
    public var message: String?
    /// Instructions as in a Dockerfile: `CMD`, `ENTRYPOINT`, `ENV`, `EXPOSE`, `LABEL`, `ONBUILD`, `STOPSIGNAL`,
    /// `USER`, `VOLUME`, `WORKDIR`.
    public var changes: [String] = []
    public var compression = LayerCompression.standard
    /// Whether what runs in the sandbox is frozen meanwhile, so that all bytes of all files are of one instant.
    public var pauses = false
    /// Stops the commit.
    public var cancellation = Cancellation()

    public init() {}
}
