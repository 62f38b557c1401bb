// mount-client: one operation on a mounted tree, many times, timed from inside, so that no shell and no start of a
// program is in the figure. One run does one operation and prints one line of JSON:
//   {"operation", "operations", "bytes", "errors", "errno", "begin", "end"}   (the clock in ns, CLOCK_MONOTONIC)
// Usage: mount-client [--threads N] [--part I/N] [--wait] OPERATION ROOT ARGUMENT...

import Glibc

do {
    let order = try Order(Array(CommandLine.arguments.dropFirst()))
    // SAFETY: the path is alive during the call.
    guard unsafe chdir(order.root) == 0 else { throw ClientError("\(order.root): \(errorText())") }
    let operation = try makeOperation(order)
    if order.waits {
        // Two clients start together: both have read their lists when they are let go.
        print("ready")
        fflush(nil)
        _ = readLine()
    }
    let begin = now()
    let tally = try runOnThreads(order, operation)
    print(tally.line(order.operation, begin: begin, end: now()))
} catch {
    print("mount-client: \(error)")
    exit(1)
}
