// An image of as many layers as any runtime takes, through all of load, create and mount.

import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing
import TreeModel

@Suite(.enabled(if: MountedSandbox.isPossible)) struct DeepImageTests {
    @Test func imagesOf128Layers() throws {
        var options = LayerOptions()
        options.entries = 12
        options.bigFiles = false
        let layers = GeneratedLayer.layers(128, seed: 128, options: options)
        let model = Model(layers)
        let lamina = try LaminaProgram(inMemory: true)
        let image = TestImage(layers.map { TestImage.Layer($0.tar, .none) })
        try lamina.lines("load", "-q", "-i", lamina.layout(image.layout, named: "deep"))
        try lamina.lines("create", "deep", "--name", "box")
        let mountpoint = ByteString(try #require(try lamina.lines("mount", "box").first))
        let comparison = TreeComparison()
        let time = Operation.setTime(".", Timestamp(seconds: 1_000_000_000))
        #expect(try RealTree(mountpoint).run(time) == model.run(time))
        #expect(comparison.differences(of: try RealTree(mountpoint), from: model) == [])
        var generator = ScriptGenerator(seed: 128)
        do {
            let tree = try RealTree(mountpoint)
            for _ in 0..<300 {
                let step = generator.next(for: model)
                if case .rename = step { continue }
                let answer = tree.run(step)
                #expect(comparison.difference(of: step, answer, model.run(step), in: model) == nil, "\(step)")
            }
            #expect(comparison.differences(of: tree, from: model) == [])
        }
        try MountTable.unmountWhenIdle(mountpoint)
    }
}
