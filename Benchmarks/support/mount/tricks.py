"""What Lamina does to be asked less and to answer sooner, each as a patch that undoes it.

A patch is a file, what stands there, and what would stand there without. One whose text is gone is an error, so that
the list cannot grow stale unseen.
"""

import dataclasses
import os


@dataclasses.dataclass(frozen=True)
class Trick:
    name: str
    what: str
    # (file, what is there, what would be there without)
    patches: tuple


FUSE = "Sources/LaminaFuse"
UNION = "Sources/LaminaUnion"

TRICKS = {trick.name: trick for trick in (
    Trick("timeouts", "names and attributes are remembered for an hour, not a second",
          ((f"{FUSE}/Session/Reply.swift", "static let timeout = 3_600.0", "static let timeout = 1.0"),)),
    Trick("readdirplus", "a listing brings names and attributes that are asked for next",
          ((f"{FUSE}/Session/Session.swift", "FUSE_CAP_READDIRPLUS | FUSE_CAP_PARALLEL_DIROPS", "FUSE_CAP_PARALLEL_DIROPS"),
           (f"{FUSE}/Session/Session.swift", "~UInt32(FUSE_CAP_READDIRPLUS_AUTO)",
            "~UInt32(FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_READDIRPLUS)"))),
    Trick("listings", "directories are opened without asking and their listings kept",
          ((f"{FUSE}/Session/Session.swift", "directories: offered & UInt32(FUSE_CAP_NO_OPENDIR_SUPPORT) != 0",
            "directories: false"),
           (f"{FUSE}/Operations/DirectoryHandlers.swift", "info.cache_readdir = 1", "info.cache_readdir = 0"),
           (f"{FUSE}/Operations/DirectoryHandlers.swift", "info.keep_cache = 1", "info.keep_cache = 0"))),
    Trick("symlinks", "targets of symlinks are kept",
          ((f"{FUSE}/Session/Session.swift", "| FUSE_CAP_CACHE_SYMLINKS ", ""),)),
    Trick("no-flush", "a close says nothing before its release",
          ((f"{FUSE}/Passthrough/OpenRequests.swift", "let keeps = FileHandle.noFlush | (", "let keeps: UInt32 = 0 | ("),
           (f"{FUSE}/Passthrough/OpenRequests.swift", "opened.flags = FileHandle.passthrough | FileHandle.noFlush",
            "opened.flags = FileHandle.passthrough"))),
    Trick("delivery", "a small file's bytes come with its open",
          ((f"{FUSE}/Passthrough/OpenRequests.swift",
            "if !flags.writes, opened.backing == 0 { deliver(id, device) }", ""),)),
    Trick("privileges", "the kernel says whose setuid bits must go, and asks for no xattr at each write",
          ((f"{FUSE}/Wire/WireSession.swift", "let wanted = Self.handleKillPrivileges | Self.extendedSetxattr",
            "let wanted = Self.extendedSetxattr"),)),
    Trick("looking", "the leader looks for the next request before it sleeps",
          ((f"{FUSE}/Loop/Patience.swift", "var looks: Bool { window > 0 }", "var looks: Bool { false }"),)),
    Trick("rehearsal", "a mount rehearses a change before it says that it is ready",
          (("Tools/lamina-mountd/Run.swift", "union.rehearse()", ""),)),
    Trick("passthrough", "the kernel reads and writes whole files by itself",
          ((f"{FUSE}/Session/Server.swift", "isWanted: options.data == .passthrough", "isWanted: false"),)),
    Trick("name-filter", "absent names of the sandbox are known without a system call",
          ((f"{UNION}/Upper/SandboxNames.swift",
            "isKnown(directory) && !names.contains(Self.hash(name, directory))", "false"),)),
    Trick("whole-limit", "files above 512 KiB are copied block by block",
          ((f"{UNION}/Data/UpperData.swift", "static let wholeLimit: UInt64 = 1 << 19",
            "static let wholeLimit: UInt64 = 1 << 40"),)),
)}


def undo(trick, root):
    """Applies the trick's patches to the sources below `root`. Raises ValueError for one that no longer fits."""
    for file, there, without in trick.patches:
        path = os.path.join(root, file)
        with open(path) as source:
            text = source.read()
        if text.count(there) != 1:
            raise ValueError(f"{trick.name}: {file} has not once: {there}")
        with open(path, "w") as source:
            source.write(text.replace(there, without))
