import LaminaCodec
import LaminaCore
import LaminaTestSupport
import Testing

/// Each limit of a load: the flag, its refusal, and that the same layer passes without it.
@Suite struct LimitTests {
    private let image: TestImage = {
        var tar = TarBuilder()
        tar.addPax([("comment", noise(2100, seed: 1))])
        tar.add("one", [UInt8](repeating: 7, count: 2 << 20))
        tar.add("two")
        tar.add("link", type: "2", link: String(repeating: "t", count: 90))
        tar.end()
        return TestImage([TestImage.Layer(tar.bytes, .zstd)])
    }()

    @Test(arguments: [
        (["--max-entries", "2"], "more than 2 entries"),
        (["--max-layer-size", "1M"], "more than 1048576 bytes"),
        (["--free-expansion", "100K"], "expands to more than 256 times its size"),
        (["--free-expansion", "0", "--max-expansion", "3"], "expands to more than 3 times its size"),
        (["--max-header-size", "2048"], "more than 2048 bytes"),
        (["--max-metadata-size", "80"], "more than 80 bytes"),
    ])
    func refusesWhatIsBeyond(_ flags: [String], _ reason: String) throws {
        let lamina = try LaminaProgram()
        let layout = try lamina.layout(image.layout)
        let run = try CommandRun.run(
            "lamina", ["load", "-q", "-i", layout] + flags, environment: ["LAMINA_ROOT": "\(lamina.root)"])
        lamina.expectFailure(run, code: 2, "layer \(sha256(image.layers[0].blob))", reason)
        #expect(try lamina.storeFiles() == [])
        #expect(try lamina.lines("load", "-q", "-i", layout) == ["Loaded image: image:latest"])
    }

    @Test func limitsStandInTheHelp() throws {
        let help = try LaminaProgram().lines("load", "--help").joined(separator: " ")
            .split(separator: " ").joined(separator: " ")
        for flag in [
            "--max-entries", "--max-layer-size", "--max-expansion", "--free-expansion", "--max-header-size",
            "--max-sparse-size", "--max-metadata-size",
        ] {
            #expect(help.contains(flag))
        }
        for value in ["4000000", "256G", "256", "256M", "1M", "8G"] {
            #expect(help.contains("(default: \(value))"), "\(value)")
        }
    }

    @Test(arguments: ["-1", "1X", "K", "", "99999999999T"])
    func refusesWhatIsNoNumberOfBytes(_ text: String) throws {
        let lamina = try LaminaProgram()
        lamina.expectFailure(try lamina.run("load", "-i", "/x", "--max-layer-size", text), code: 64)
    }
}
