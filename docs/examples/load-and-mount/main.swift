// Loads an image and mounts a new sandbox of it: load-and-mount IMAGE DIRECTORY

import Glibc
import LaminaCore
import LaminaEngine

do throws(LaminaError) {
    let words = CommandLine.arguments
    guard words.count == 3 else { throw LaminaError(.usage, "load-and-mount", "wants IMAGE and DIRECTORY") }
    let engine = try Engine(root: Engine.defaultRoot())
    guard let image = try engine.load(.path(ByteString(words[1]))).first else {
        throw LaminaError(.notFound, words[1], "holds no image")
    }
    let sandbox = try engine.create("\(image.id)")
    let place = try engine.mount(sandbox.id, at: ByteString(words[2]))
    print("\(sandbox.name) is at \(place)")
} catch {
    print(error.message)
    exit(error.code.rawValue)
}
