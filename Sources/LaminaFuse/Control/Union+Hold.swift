// Holding the names of a sandbox still for another process, which lists them meanwhile.
//
// Invariant: the hold ends when the asker says so, when its end of the connection closes, after `NamespaceHold.longest`,
// and when the mount ends, whichever is first.

import LaminaCore
import LaminaSystem
import LaminaUnion

extension Union {
    /// Answers a request to hold. Names, copies and attributes wait; bytes of open files do not.
    func hold(for connection: borrowing Descriptor, unless end: borrowing Descriptor) {
        let isEnded = holdNames { () -> Bool in
            guard (try? connection.send(NamespaceHold.held)) != nil,
                connection.waitReadable(unless: end, milliseconds: NamespaceHold.longest) == true
            else { return false }
            return (try? connection.receive(limit: 16, milliseconds: 0)) == NamespaceHold.goOn
        }
        if isEnded { try? connection.send(NamespaceHold.ended) }
    }
}
