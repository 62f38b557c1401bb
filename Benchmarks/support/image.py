"""OCI layouts as Tools/make-images writes them: one image, its layers, and layouts derived from it."""

import hashlib
import json
import os
import shutil


class Image:
    def __init__(self, path):
        self.path = os.path.abspath(path)
        index = self._document("index.json")
        self.tag = index["manifests"][0].get("annotations", {}).get("org.opencontainers.image.ref.name", "latest")
        self.manifest = self._blob(index["manifests"][0]["digest"])
        self.config = self._blob(self.manifest["config"]["digest"])

    def _document(self, *names):
        with open(os.path.join(self.path, *names), "rb") as file:
            return json.load(file)

    def _blob(self, digest):
        return self._document("blobs", *digest.split(":"))

    @property
    def layers(self):
        """Paths of the layers' blobs, lowest first."""
        return [self.blob_path(layer["digest"]) for layer in self.manifest["layers"]]

    def blob_path(self, digest):
        return os.path.join(self.path, "blobs", *digest.split(":"))

    def expected_floor(self):
        """What the floor must print: blob digest and diffID of every layer."""
        return sorted(
            f"{layer['digest']} {diff}"
            for layer, diff in zip(self.manifest["layers"], self.config["rootfs"]["diff_ids"])
        )

    def warm(self):
        """Brings every blob into the page cache."""
        for path in self.layers:
            with open(path, "rb", buffering=0) as file:
                while file.read(1 << 22):
                    pass

    @property
    def chain(self):
        """The hex digits of the chain ID of all layers (OCI image-spec, config.md)."""
        chain, *others = self.config["rootfs"]["diff_ids"]
        for diff in others:
            chain = "sha256:" + hashlib.sha256(f"{chain} {diff}".encode()).hexdigest()
        return chain.split(":")[1]

    def with_layers(self, chosen, path, added=()):
        """A layout at `path` of the layers at the indexes `chosen`, and of the plain tars `added` on top of them;
        the rest of the image is the same. The tars are moved into the layout."""
        blobs = os.path.join(path, "blobs", "sha256")
        os.makedirs(blobs)
        config, manifest = dict(self.config), dict(self.manifest)
        config["rootfs"] = {"type": "layers", "diff_ids": [self.config["rootfs"]["diff_ids"][i] for i in chosen]}
        config.pop("history", None)
        manifest["layers"] = [self.manifest["layers"][i] for i in chosen]
        for layer in manifest["layers"]:
            source = self.blob_path(layer["digest"])
            target = os.path.join(blobs, os.path.basename(source))
            try:
                os.link(source, target)
            except OSError:
                shutil.copyfile(source, target)

        for tar in added:
            with open(tar, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = os.path.getsize(tar)
            shutil.move(tar, os.path.join(blobs, digest))
            config["rootfs"]["diff_ids"].append(f"sha256:{digest}")
            manifest["layers"].append(
                {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": f"sha256:{digest}", "size": size})

        def put(document):
            data = json.dumps(document).encode()
            digest = hashlib.sha256(data).hexdigest()
            with open(os.path.join(blobs, digest), "wb") as file:
                file.write(data)
            return {"digest": f"sha256:{digest}", "size": len(data)}

        manifest["config"] = {"mediaType": self.manifest["config"]["mediaType"], **put(config)}
        entry = {
            "mediaType": "application/vnd.oci.image.manifest.v1+json", **put(manifest),
            "annotations": {"org.opencontainers.image.ref.name": self.tag},
        }
        with open(os.path.join(path, "index.json"), "w") as file:
            json.dump({"schemaVersion": 2, "manifests": [entry]}, file)
        with open(os.path.join(path, "oci-layout"), "w") as file:
            json.dump({"imageLayoutVersion": "1.0.0"}, file)
        return Image(path)


def image_of(tars, path):
    """An image of nothing but plain tars, whose layout is made at `path`; the one that is there, without tars."""
    if not tars:
        return Image(path)
    base = Image.__new__(Image)
    base.tag = "latest"
    base.config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}
    base.manifest = {
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json"}, "layers": [],
    }
    return base.with_layers((), path, added=tars)
