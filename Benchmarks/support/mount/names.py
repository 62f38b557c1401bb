"""Looking about in a tree: lstat, misses, listings, find and du; in a fresh mount, and again in the same one."""

from .client import timed


def first_and_again(bench, sandbox, operation, path_list):
    with sandbox.mounted() as root:
        words = (root, operation, bench.client.path_list(path_list))
        return [bench.client.microseconds(*words) for _ in range(2)]


def look_up(bench, sandbox):
    cold, warm = first_and_again(bench, sandbox, "lstat", "nodes")
    return {"lstat/cold": cold, "lstat/warm": warm}


def miss(bench, sandbox):
    first, again = first_and_again(bench, sandbox, "miss", "directories")
    return {"miss/first": first, "miss/again": again}


def read_directories(bench, sandbox):
    cold, warm = first_and_again(bench, sandbox, "list", "directories")
    return {"list/cold": cold, "list/warm": warm}


def find(bench, sandbox):
    command = lambda root: timed("find", root, "-xdev", "-type", "f")  # noqa: E731
    with sandbox.mounted() as root:
        return {"find/cold": command(root), "find/warm": command(root)}


def disk_usage(bench, sandbox):
    # The bare server is told what Lamina finds out.
    sandbox.lists_fully = True
    with sandbox.mounted() as root:
        return {"du/cold": timed("du", "-sx", root)}


def two_clients(name, operation, path_list):
    """Two at once in one fresh mount, each with half of the list: wall time for an operation of the two."""
    def run(bench, sandbox):
        with sandbox.mounted() as root:
            return {f"clients/{name}": bench.client.together(root, operation, bench.client.path_list(path_list))}

    return run
