"""A Python wheel that carries the program, the shared libraries that it needs, and the reader package `serval`.

    make_wheel.py INSTALLED OUT      INSTALLED: what `cmake --install --component program --prefix` made

Only Python's own library is used, and the programs ldd and patchelf. Left to the system are the C library and what belongs to
it; the wheel's tag says how new that must be. Each library's licence, as its Debian package has it, goes in with it.
"""

import base64
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
SYSTEMS = re.compile(r"^(ld-linux.*|linux-vdso|lib(c|m|dl|rt|pthread|resolv|util|anl|nsl|mvec))\.so")
MODIFIED = (2020, 1, 1, 0, 0, 0)  # the same files give the same bytes


def said_by(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def libraries_of(program):
    """Every shared library that the program needs, directly or not, by the name that it is asked for."""
    out = {}
    for line in said_by("ldd", str(program)).splitlines():
        name = line.split()[0]
        if SYSTEMS.match(Path(name).name):
            continue
        if "=>" not in line or "not found" in line:
            sys.exit(f"make_wheel.py: {program} needs {name}, which is not found")
        out[name] = Path(line.split("=>")[1].split("(")[0].strip()).resolve()
    return out


def licence_of(library):
    """The copyright file of the Debian package that a library is from."""
    for path in (library, Path(str(library).replace("/usr/lib/", "/lib/", 1))):
        owner = subprocess.run(["dpkg", "-S", str(path)], capture_output=True, text=True)
        if owner.returncode == 0:
            package = owner.stdout.split(":")[0]
            return package, Path("/usr/share/doc") / package / "copyright"
    return None, None


def gather(installed, folder):
    """The package as it will be installed."""
    package = folder / "serval"
    shutil.copytree(HERE / "serval", package, ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("bin", "share"):
        shutil.copytree(installed / part, package / part, ignore=shutil.ignore_patterns("doc"))
    shutil.copy(installed / "share/doc/serval/LICENSE", package / "LICENSE")
    program = package / "bin/serval"
    (package / "lib").mkdir()
    (package / "licences").mkdir()
    for name, path in libraries_of(program).items():
        shutil.copy(path, package / "lib" / name)
        said_by("patchelf", "--set-rpath", "$ORIGIN", str(package / "lib" / name))
        owner, licence = licence_of(path)
        if licence is not None and licence.exists():
            shutil.copy(licence, package / "licences" / f"{owner}.txt")
    said_by("strip", str(program))
    said_by("patchelf", "--force-rpath", "--set-rpath", "$ORIGIN/../lib", str(program))


def main(installed, out):
    version = said_by(str(installed / "bin/serval"), "--version").split()[-1]
    major, minor = platform.libc_ver()[1].split(".")[:2]
    tag = f"py3-none-manylinux_{major}_{minor}_{platform.machine()}"
    info = f"serval-{version}.dist-info"
    files = {
        f"{info}/METADATA": (
            f"Metadata-Version: 2.1\nName: serval\nVersion: {version}\n"
            "Summary: Speech emotion recognition, evaluated honestly: the program, and a reader of what it writes\n"
            "License: Apache-2.0\nRequires-Python: >=3.9\nRequires-Dist: numpy\nRequires-Dist: pandas\n"
            "Provides-Extra: stores\nRequires-Dist: h5py; extra == 'stores'\n"
        ),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: serval make_wheel\nRoot-Is-Purelib: false\nTag: {tag}\n",
        f"{info}/entry_points.txt": "[console_scripts]\nserval = serval.program:main\n",
    }
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        gather(installed, folder)
        path = out / f"serval-{version}-{tag}.whl"
        records = []
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:

            def add(name, content, mode=0o644):
                entry = zipfile.ZipInfo(name, MODIFIED)
                entry.external_attr = (0o100000 | mode) << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                wheel.writestr(entry, content)
                digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
                records.append(f"{name},sha256={digest},{len(content)}\n")

            for file in sorted(p for p in folder.rglob("*") if p.is_file()):
                add(str(file.relative_to(folder)), file.read_bytes(), 0o755 if os.access(file, os.X_OK) else 0o644)
            for name, text in files.items():
                add(name, text.encode())
            wheel.writestr(zipfile.ZipInfo(f"{info}/RECORD", MODIFIED), "".join(records) + f"{info}/RECORD,,\n")
    print(path)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
