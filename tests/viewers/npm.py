"""A package of the npm registry, fetched once, checked, and kept where git does not look."""

import base64
import hashlib
import json
import subprocess
import tarfile
from pathlib import Path

CACHE = Path(__file__).parents[2] / ".viewers"
"""Ignored by git; `make clean` leaves it."""


def fetch(package: str, integrity: str) -> Path:
    """Return the folder of a package, `name@version`, without what it depends on.

    Parameters
    ----------
    package
        Name and version.
    integrity
        What the registry says of the archive: `sha512-` and the digest in base 64. Written down in
        the test, so that another archive under the same version is not run.

    """
    folder = CACHE / package.replace("/", "_")
    if not (folder / "package").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        packed = subprocess.run(
            ["npm", "pack", package, "--json", "--pack-destination", str(folder)],
            check=True,
            capture_output=True,
            text=True,
        )
        _unpack(folder / json.loads(packed.stdout)[0]["filename"], integrity)
    return folder / "package"


def _unpack(archive: Path, integrity: str) -> None:
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    assert f"sha512-{digest}" == integrity, f"{archive.name} is not the archive that was tried"
    with tarfile.open(archive) as opened:
        opened.extractall(archive.parent, filter="data")
    archive.unlink()
