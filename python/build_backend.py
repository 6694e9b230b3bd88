"""Builds the wheel, by PEP 517 and with the standard library alone: `pip install ./python` needs no network.

A wheel bundles libgpukeeper.so: the one that $GPUKEEPER_LIBRARY names, else the one of this checkout's build (./test or
./run builds it), stripped where `strip` is installed. Its tag says from which glibc on it runs.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGES = ("gpukeeper", "gpu_manager", "api_gpu")
LIBRARY = "libgpukeeper.so.0"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same files make the same wheel


def version() -> str:
    """As CMakeLists.txt has it; in a source archive as its own file does."""
    own = os.path.join(HERE, "VERSION")
    if os.path.exists(own):
        with open(own, encoding="utf-8") as file:
            return file.read().strip()
    with open(os.path.join(os.path.dirname(HERE), "CMakeLists.txt"), encoding="utf-8") as file:
        found = re.search(r"project\(gpukeeper\s+VERSION\s+([0-9.]+)", file.read())
    if found is None:
        raise SystemExit("CMakeLists.txt has no project(gpukeeper VERSION …)")
    return found.group(1)


def find_library() -> str:
    named = os.environ.get("GPUKEEPER_LIBRARY")
    build = os.path.join(os.path.dirname(HERE), "build")
    places = [named] if named else [os.path.join(build, name) for name in (LIBRARY, "libgpukeeper.so")]
    for place in places:
        if os.path.isfile(place):
            return place
    where = " or ".join(places)
    raise SystemExit(f"libgpukeeper.so is not at {where}: build it with ./test, or name it in GPUKEEPER_LIBRARY")


def stripped(library: str) -> bytes:
    """Without symbols and debug information; as it is where there is no `strip`."""
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, LIBRARY)
        shutil.copyfile(library, copy)
        if shutil.which("strip"):
            subprocess.run(["strip", "--strip-unneeded", copy], check=True)
        with open(copy, "rb") as file:
            return file.read()


def platform_tag(library: bytes) -> str:
    """From the newest glibc whose symbols the library asks for (PEP 600)."""
    minors = [int(minor) for minor in re.findall(rb"GLIBC_2\.(\d+)\0", library)]
    if b"GLIBC_ABI_DT_RELR\0" in library:  # packed relocations
        minors.append(36)
    return f"manylinux_2_{max([17, *minors])}_{os.uname().machine}"


def _sources() -> list[tuple[str, str]]:
    """Each file of the packages: its name in the archive, and where it is."""
    found = []
    for package in PACKAGES:
        for folder, folders, files in os.walk(os.path.join(HERE, package)):
            folders[:] = sorted(name for name in folders if name != "__pycache__")
            for name in sorted(files):
                if name.endswith(".py") or name == "py.typed":
                    path = os.path.join(folder, name)
                    found.append((os.path.relpath(path, HERE), path))
    return found


def _metadata() -> str:
    return (
        "Metadata-Version: 2.1\n"
        "Name: gpukeeper\n"
        f"Version: {version()}\n"
        "Summary: What the GPUs of this machine do, and their memory, booked\n"
        "License: Apache-2.0\n"
        "Requires-Python: >=3.9\n"
        "Classifier: Operating System :: POSIX :: Linux\n"
        "Classifier: Typing :: Typed\n"
    )


class _Wheel:
    """The archive, and the list of its contents that stands in it."""

    def __init__(self, path: str) -> None:
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
        self._record: list[str] = []

    def add(self, name: str, data: bytes, mode: int = 0o644) -> None:
        info = zipfile.ZipInfo(name, _EPOCH)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = (0o100000 | mode) << 16
        self._zip.writestr(info, data, compresslevel=9)
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        self._record.append(f"{name},sha256={digest},{len(data)}")

    def close(self, record: str) -> None:
        text = "\n".join([*self._record, f"{record},,"]) + "\n"
        self._zip.writestr(zipfile.ZipInfo(record, _EPOCH), text)
        self._zip.close()


def build_wheel(wheel_directory: str, config_settings: object = None, metadata_directory: object = None) -> str:
    library = stripped(find_library())
    tag = f"py3-none-{platform_tag(library)}"
    name = f"gpukeeper-{version()}-{tag}.whl"
    info = f"gpukeeper-{version()}.dist-info"
    wheel = _Wheel(os.path.join(wheel_directory, name))
    for inside, path in _sources():
        with open(path, "rb") as file:
            wheel.add(inside, file.read())
    wheel.add(f"gpukeeper/{LIBRARY}", library, 0o755)
    wheel.add(f"{info}/METADATA", _metadata().encode())
    about = f"Wheel-Version: 1.0\nGenerator: gpukeeper\nRoot-Is-Purelib: false\nTag: {tag}\n"
    wheel.add(f"{info}/WHEEL", about.encode())
    wheel.close(f"{info}/RECORD")
    return name


def build_sdist(sdist_directory: str, config_settings: object = None) -> str:
    """The Python sources; building a wheel of them takes a library that GPUKEEPER_LIBRARY names."""
    base = f"gpukeeper-{version()}"
    files = [*_sources(), *((name, os.path.join(HERE, name)) for name in ("pyproject.toml", "build_backend.py"))]
    with tarfile.open(os.path.join(sdist_directory, f"{base}.tar.gz"), "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for inside, path in files:
            archive.add(path, f"{base}/{inside}")
        for inside, text in (("PKG-INFO", _metadata()), ("VERSION", version() + "\n")):
            info = tarfile.TarInfo(f"{base}/{inside}")
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return f"{base}.tar.gz"
