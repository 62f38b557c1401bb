import LaminaEngine
import Testing

@Suite struct ImageReferenceTests {
    @Test(arguments: [
        ("small", "docker.io/library/small:latest", "small:latest"),
        ("small:1.0", "docker.io/library/small:1.0", "small:1.0"),
        ("docker.io/library/small:latest", "docker.io/library/small:latest", "small:latest"),
        ("user/app", "docker.io/user/app:latest", "user/app:latest"),
        ("localhost/app:x", "localhost/app:x", "localhost/app:x"),
        ("localhost:5000/app", "localhost:5000/app:latest", "localhost:5000/app:latest"),
        ("ghcr.io/a/b-c_d.e:v1", "ghcr.io/a/b-c_d.e:v1", "ghcr.io/a/b-c_d.e:v1"),
        ("index.docker.io/small", "docker.io/library/small:latest", "small:latest"),
    ])
    func normalises(_ text: String, _ normalised: String, _ familiar: String) throws {
        let reference = try ImageReference(text)
        #expect(reference.normalised == normalised)
        #expect(reference.familiar == familiar)
        #expect(try ImageReference(reference.familiar) == reference)
    }

    @Test func takesADigest() throws {
        let digest = "sha256:" + String(repeating: "ab", count: 32)
        let reference = try ImageReference("a@" + digest)
        #expect(reference.tag == nil)
        #expect(reference.normalised == "docker.io/library/a@" + digest)
    }

    @Test(arguments: [
        "", "UPPER", "a b", "a:", "a:.x", "a//b", "/a", "a/", "-a", "a-", "a..b", "a___b", "a@sha256:00", "a:x:y/z",
        "é",
    ])
    func refuses(_ text: String) {
        #expect(throws: LaminaError.self) { try ImageReference(text) }
    }
}
