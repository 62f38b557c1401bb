import LaminaCore
import LaminaTestSupport
import Testing

/// `lamina diff`, on changes made through mounts.
@Suite(.enabled(if: canMountBoxes)) struct DiffCommandTests {
    private func box() throws -> LaminaProgram {
        let lamina = try LaminaProgram()
        try lamina.loadBase()
        try lamina.lines("create", "base", "--name", "box")
        return lamina
    }

    @Test func nothingChanged() throws {
        let lamina = try box()
        #expect(try lamina.lines("diff", "box").isEmpty)
        try lamina.change("box", "cat etc/* > /dev/null; ls -R > /dev/null")
        #expect(try lamina.lines("diff", "box").isEmpty)
    }

    @Test func listsAsDockerDoes() throws {
        let lamina = try box()
        try lamina.change(
            "box",
            """
            echo two > etc/release; rm etc/gone; mkdir -p new/dir; echo x > new/dir/file; ln -s x new/link
            chmod 600 var/big
            """)
        let expected = [
            "C /etc", "D /etc/gone", "C /etc/release", "A /new", "A /new/dir", "A /new/dir/file",
            "A /new/link",
            "C /var", "C /var/big",
        ]
        #expect(try lamina.lines("diff", "box") == expected)
        let mountpoint = try #require(try lamina.lines("mount", "box").first)
        #expect(try lamina.lines("diff", "box") == expected, "while mounted")
        #expect(try CommandRun.run("/bin/rm", ["-r", mountpoint + "/new"]).exitCode == 0)
        #expect(try lamina.lines("diff", "box") == expected.filter { !$0.contains("/new") })
        try lamina.unmount("box")
    }

    /// A file that is written in blocks, a new directory over an old one, and moved ones.
    @Test func knowsTheSandboxsMarks() throws {
        let lamina = try box()
        try lamina.change(
            "box",
            """
            printf x | dd of=var/big bs=1 seek=2000000 conv=notrunc status=none
            rm -r opt/deep/er; mkdir opt/deep/er; echo y > opt/deep/er/new
            mv etc var/moved
            """)
        #expect(
            try lamina.lines("diff", "box") == [
                "D /etc", "C /opt", "C /opt/deep", "C /opt/deep/er", "D /opt/deep/er/file",
                "A /opt/deep/er/new",
                "C /var", "C /var/big", "A /var/moved",
            ])
        try lamina.change("box", "echo z > var/moved/release; mv var/moved etc; touch -d @0 opt")
        let lines = try lamina.lines("diff", "box")
        #expect(lines.contains("C /etc/release") && !lines.contains { $0.contains("moved") }, "\\(lines)")
    }

    @Test func fails() throws {
        let lamina = try box()
        lamina.expectFailure(try lamina.run("diff", "nobody"), code: 3, "nobody: no such sandbox")
        lamina.expectFailure(try lamina.run("diff"), code: 64)
    }
}
