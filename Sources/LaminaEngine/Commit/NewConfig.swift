// NewConfig owns the config of an image that Lamina makes: the base's, with a layer and a step more. Fields
// that it does not know stay as they are.

import Foundation
import LaminaCore

/// A config in the making, as JSON.
struct NewConfig {
    private var document: [String: Any]
    private let created: String

    /// Starts from the bytes of a base's config, which has `layerCount` layers.
    ///
    /// Throws `badInput` when they are no JSON object.
    init(base: [UInt8], layerCount: Int, created: String, named name: String) throws(LaminaError) {
        let object = try? JSONSerialization.jsonObject(with: Data(base))
        guard let document = object as? [String: Any] else {
            throw LaminaError(.badInput, name, "is no JSON object")
        }
        self.document = document
        self.created = created
        // What Docker notes of the container that an image was made from.
        for field in ["container", "container_config", "id", "parent"] { self.document[field] = nil }
        completeHistory(layerCount)
    }

    /// Starts from nothing.
    init(platform: Platform, created: String) {
        document = [
            "architecture": platform.architecture, "os": platform.os, "config": [String: Any](),
            "rootfs": ["type": "layers", "diff_ids": [String]()] as [String: Any], "history": [Any](),
        ]
        document["variant"] = platform.variant
        self.created = created
    }

    /// Tools count the steps that made layers, and refuse an image of which there are too few.
    private mutating func completeHistory(_ layerCount: Int) {
        var history = document["history"] as? [[String: Any]] ?? []
        let steps = history.filter { $0["empty_layer"] as? Bool != true }.count
        for _ in 0..<max(layerCount - steps, 0) {
            var step: [String: Any] = ["created_by": ""]
            step["created"] = document["created"] as? String
            history.append(step)
        }
        document["history"] = history
    }

    /// Adds a layer and the step that made it, and sets time and author.
    mutating func add(
        _ diffID: Digest, createdBy: String, author: String?, message: String?
    ) {
        var rootfs = document["rootfs"] as? [String: Any] ?? ["type": "layers"]
        rootfs["diff_ids"] = (rootfs["diff_ids"] as? [String] ?? []) + ["\(diffID)"]
        document["rootfs"] = rootfs
        var step: [String: Any] = ["created": created, "created_by": createdBy]
        if let author {
            step["author"] = author
            document["author"] = author
        }
        if let message { step["comment"] = message }
        document["history"] = (document["history"] as? [[String: Any]] ?? []) + [step]
        document["created"] = created
    }

    mutating func apply(_ changes: [ConfigChange]) {
        var config = document["config"] as? [String: Any] ?? [:]
        for change in changes { change.apply(to: &config) }
        document["config"] = config
    }

    /// What a container of the base runs, as Docker notes it for the step.
    var command: String {
        let config = document["config"] as? [String: Any] ?? [:]
        let words = (config["Entrypoint"] as? [String] ?? []) + (config["Cmd"] as? [String] ?? [])
        return words.joined(separator: " ")
    }

    var bytes: [UInt8] { JSONBytes.of(document) }
}

/// JSON that is the same for the same values.
enum JSONBytes {
    static func of(_ object: Any) -> [UInt8] {
        let options: JSONSerialization.WritingOptions = [.sortedKeys, .withoutEscapingSlashes]
        return (try? JSONSerialization.data(withJSONObject: object, options: options)).map { Array($0) } ?? []
    }
}
