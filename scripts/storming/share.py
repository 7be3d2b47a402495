"""The shared directory, read as a stranger would: every visible release must be whole, always."""

import hashlib
import os
import re
import stat

RELEASE = re.compile(r"(?P<version>[A-Za-z0-9][A-Za-z0-9._+-]{0,63})-(?P<digest>[0-9a-f]{16})-\d+")
# Private to one attempt of one node, and left behind where it was killed.
STAGE = re.compile(r"\.stage\.[0-9a-f]{8}\.\d+\.[0-9a-f]{8}\.[0-9a-f]{16}")
# Gone again after one write.
PROBE = re.compile(r"\.probe\.[0-9a-f]{16}")


class Share:
    """What was seen on the share so far."""

    def __init__(self, path):
        self.path = path
        self.releases = {}

    def stages(self):
        return [name for name in self._names() if STAGE.fullmatch(name)]

    def look(self, thoroughly=False):
        """What is wrong, as lines. A release is read whole when it is new, or when asked to."""
        wrong = [f"{name} does not belong on the share"
                 for name in os.listdir(self.path) if name != "releases"]
        seen = set(self._names())
        for name in sorted(seen):
            if STAGE.fullmatch(name) or PROBE.fullmatch(name):
                continue
            if not RELEASE.fullmatch(name):
                wrong.append(f"releases/{name} is neither a release nor a stage")
            elif thoroughly or name not in self.releases:
                wrong += self._compare(name)
        wrong += [f"the release {name} vanished" for name in self.releases if name not in seen]
        versions = [name.rsplit("-", 2)[0] for name in self.releases]
        wrong += [f"{version} was published twice" for version in set(versions)
                  if versions.count(version) > 1]
        return wrong

    def _names(self):
        try:
            return os.listdir(self.path / "releases")
        except FileNotFoundError:
            return []

    def _compare(self, name):
        """Compares a release with the manifest beside its files, and with how it first was."""
        root = self.path / "releases" / name
        try:
            manifest = (root / "manifest").read_bytes()
            wanted = entries(manifest)
            found = {}
            for folder, folders, files in os.walk(root):
                for entry in folders + files:
                    path = os.path.join(folder, entry)
                    found[os.path.relpath(path, root)] = describe(path)
        except (OSError, ValueError) as trouble:
            return [f"releases/{name} is visible and not whole: {trouble}"]
        found.pop("manifest", None)
        wrong = [f"releases/{name}/{path}: {found.get(path)} is there, {wanted.get(path)} wanted"
                 for path in sorted(wanted.keys() | found.keys())
                 if wanted.get(path) != found.get(path)]
        content = manifest[:manifest.index(b"\nterm ") + 1]
        digest = hashlib.sha256(content).hexdigest()
        if RELEASE.fullmatch(name)["digest"] != digest[:16]:
            wrong.append(f"releases/{name} has a manifest with digest {digest[:16]}")
        first = self.releases.setdefault(name, (root.stat().st_ino, manifest))
        if first != (root.stat().st_ino, manifest):
            wrong.append(f"releases/{name} was changed after it was published")
        return wrong


def entries(manifest):
    """What a manifest says is there: {path: (kind, mode, size, digest)}."""
    lines = manifest.decode().splitlines()
    wanted = {}
    for line in lines:
        kind, *rest = line.split(" ")
        if kind == "directory":
            wanted[rest[1]] = (kind, rest[0])
        elif kind == "file":
            wanted[rest[3]] = (kind, rest[0], int(rest[1]), rest[2])
        elif kind == "link":
            _, path, target = line.split("\t")
            wanted[path] = (kind, target)
    ends = [line for line in lines if line.startswith("end ")]
    if ends != [f"end {len(wanted)}"] or not lines[-1].startswith("signature "):
        raise ValueError("its manifest is not whole")
    return wanted


def describe(path):
    status = os.lstat(path)
    mode = f"{stat.S_IMODE(status.st_mode):04o}"
    if stat.S_ISDIR(status.st_mode):
        return ("directory", mode)
    if stat.S_ISLNK(status.st_mode):
        return ("link", os.readlink(path))
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ("file", mode, status.st_size, digest)
