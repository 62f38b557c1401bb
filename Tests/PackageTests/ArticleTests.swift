// ArticleTests holds the library's articles to what is compiled and run.

import Foundation
import Testing

@Suite struct ArticleTests {
    /// The program of the article is the example, which `CommandTests/ExampleTests` runs.
    @Test func theProgramIsTheExample() throws {
        let program = try SourceTree.text(of: "docs/examples/load-and-mount/main.swift")
        let article = try SourceTree.text(of: "Sources/LaminaEngine/LaminaEngine.docc/LoadAndMount.md")
        let parts = article.components(separatedBy: "```")
        #expect(parts.count == 3 && parts[1] == "swift\n" + program)
        #expect(program.split(separator: "\n").count <= 20)
    }
}
