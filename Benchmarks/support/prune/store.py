"""Makes a store with rows, directories and files as docs/FORMAT-store.md says, whose objects have no bytes."""

import hashlib
import os
import sqlite3
import struct
import subprocess

from host import REPOSITORY

LAYERS_OF_IMAGE = 10


def sha256(text):
    return hashlib.sha256(text.encode()).digest()


def splits(diff_id, objects):
    """A layer whose tar is its objects, of 64 KiB each."""
    size = 65536
    head = b"LAMSPLIT" + struct.pack("<IIQQQ", 1, 0, len(objects), size * len(objects), 0) + diff_id + bytes(8)
    records = b"".join(
        struct.pack("<QQ", index * size, size) + digest + bytes(8) for index, digest in enumerate(objects))
    return head + records + hashlib.sha256(head + records).digest()


def make(root, verb, objects, layers):
    """Gives the names of its images."""
    subprocess.run(verb("images"), stdout=subprocess.DEVNULL, check=True)
    rooms = [f"{number:02x}" for number in range(256)]
    for room in rooms:
        os.makedirs(os.path.join(root, "objects", room), exist_ok=True)
        os.makedirs(os.path.join(root, "blobs/sha256", room), exist_ok=True)
    database = sqlite3.connect(os.path.join(root, "lamina.db"))
    database.execute("PRAGMA foreign_keys = ON")
    each = objects // layers
    names = []
    for image in range(layers // LAYERS_OF_IMAGE):
        diff_ids = []
        for number in range(image * LAYERS_OF_IMAGE, (image + 1) * LAYERS_OF_IMAGE):
            diff_ids.append(_layer(root, database, number, [sha256(f"object {number} {i}") for i in range(each)]))
        names.append(_image(root, database, image, diff_ids))
        if image % 100 == 99:
            database.commit()
    database.commit()
    database.close()
    return names


def _layer(root, database, number, objects):
    diff_id = sha256(f"layer {number}")
    text = f"sha256:{diff_id.hex()}"
    place = os.path.join(root, "layers", diff_id.hex())
    os.mkdir(place, 0o700)
    for name, content in (("stream", b""), ("index.erofs", b""), ("splits", splits(diff_id, objects))):
        with open(os.path.join(place, name), "wb") as file:
            file.write(content)
    database.execute("INSERT INTO layer VALUES (?, ?, 0, 1)", (text, 65536 * len(objects)))
    database.execute("INSERT INTO content VALUES ('layer', ?, 8192)", (text,))
    for digest in objects:
        name = digest.hex()
        os.close(os.open(os.path.join(root, "objects", name[:2], name[2:]), os.O_CREAT | os.O_WRONLY, 0o444))
        database.execute("INSERT INTO object VALUES (?, 0, 1)", (digest,))
    return text


def _image(root, database, number, diff_ids):
    """With a config that is no blob on disk: removing asks nothing of it."""
    identity = f"sha256:{sha256(f'image {number}').hex()}"
    chain = f"sha256:{sha256(f'chain {number}').hex()}"
    database.execute(
        "INSERT INTO image (id, chainID, architecture, os, configSize, loaded) VALUES (?, ?, 'amd64', 'linux', 1, 1)",
        (identity, chain))
    for position, diff_id in enumerate(diff_ids):
        database.execute("INSERT INTO imageLayer VALUES (?, ?, ?)", (identity, position, diff_id))
    database.execute(
        "INSERT INTO tag VALUES (?, ?)", (f"docker.io/library/image{number}:latest", identity))
    with open(os.path.join(root, "chains", f"{chain[7:]}.erofs"), "wb"):
        pass
    database.execute("INSERT INTO content VALUES ('chain', ?, 0)", (chain,))
    return f"image{number}"


def image(options):
    """A docker-archive of a real image, made first if it is not there."""
    name = "small" if options.quick else "dev"
    place = os.path.join(options.scratch, "lamina-benchmark-images")
    path = os.path.join(place, f"{name}.docker.tar")
    if not os.path.exists(path):
        subprocess.run([os.path.join(REPOSITORY, "Tools/make-images"), place, name], check=True)
    return path
