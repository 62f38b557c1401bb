// The first error tier: what a system call said. Everything above wraps it with the
// name of the thing that was being done.

import SystemPackage

/// An error number of the kernel (`errno(3)`).
public typealias Errno = SystemPackage.Errno
