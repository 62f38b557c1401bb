// `lamina load`: images from a layout, an archive or a stream.

import ArgumentParser
import LaminaCore
import LaminaEngine

/// `lamina load`
struct LoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Load images from an OCI layout or a docker-archive.",
        discussion: """
            The input is a layout's directory, a tar of a layout or of docker save, plain or compressed \
            with gzip, zstd or lz4, or - for such a tar on stdin. Every digest is verified. A layout that \
            names an image by a tag alone gives it the name of the layout's file or directory.

            A layer beyond one of the limits is refused. Numbers of bytes may end in K, M, G or T.

            SIGINT and SIGTERM stop a load; loading again goes on from the layers that were finished.
            """)

    @OptionGroup var global: GlobalOptions

    @Option(name: [.short, .long], help: ArgumentHelp("What to load; - is stdin.", valueName: "file|dir|-"))
    var input = "-"

    @Flag(name: [.short, .long], help: "Print no progress.")
    var quiet = false

    @Flag(
        name: .customLong("no-blobs"),
        help: "Keep no compressed layers; their tars can still be given back by lamina layer cat.")
    var noBlobs = false

    @OptionGroup(title: "Limits") var limits: LimitOptions

    func run() throws {
        if input == "-" && Terminal.inputIsTerminal {
            throw ValidationError("nothing to load: give --input FILE or DIR, or an archive on stdin")
        }
        let interruption = Interruption()
        interruption.start()
        let progress = LoadProgressView(isQuiet: quiet)
        defer { progress.finish() }
        do {
            let loaded = try load(interruption.cancellation, progress)
            progress.finish()
            show(loaded)
        } catch {
            guard error.code == .interrupted else { throw error }
            progress.finish()
            Terminal.error("interrupted")
            throw ExitCode(interruption.exitCode)
        }
    }

    private func load(
        _ cancellation: Cancellation, _ progress: LoadProgressView
    ) throws(LaminaError) -> [LoadedImage] {
        let options = LoadOptions(
            keepBlobs: !noBlobs, limits: limits.limits, cancellation: cancellation)
        let input: LoadInput = input == "-" ? .standardInput : .path(ByteString(self.input))
        return try global.engine().load(input, options: options) { progress.show($0) }
    }

    private func show(_ loaded: [LoadedImage]) {
        for image in loaded {
            for reference in image.references { print("Loaded image: \(ImageReference.familiar(reference))") }
            if image.references.isEmpty { print("Loaded image ID: \(image.id)") }
        }
    }
}
