"""A bundle, in a folder or in one file."""

import hashlib
import json
import struct
import tarfile
from pathlib import Path

import numpy

TYPES = {"F32": "<f4", "F64": "<f8", "F16": "<f2", "I8": "i1", "U8": "u1", "I32": "<i4", "I64": "<i8"}


class Bundle:
    """What `serval export` wrote. Every file is checked against SHA256SUMS (ValueError)."""

    def __init__(self, path):
        path = Path(path)
        if path.is_dir():
            self._files = {
                str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()
            }
        else:
            with tarfile.open(path, "r:") as archive:
                self._files = {
                    entry.name: archive.extractfile(entry).read() for entry in archive if entry.isfile()
                }
        if "SHA256SUMS" not in self._files:
            raise ValueError(f"{path}: holds no SHA256SUMS, so it is no bundle")
        named = [line.split("  ", 1) for line in self._files["SHA256SUMS"].decode().splitlines()]
        for digits, name in named:
            if hashlib.sha256(self._files.get(name, b"")).hexdigest() != digits:
                raise ValueError(f"{path}/{name}: is missing or damaged: its SHA-256 is not the one in SHA256SUMS")
        self._files = {name: self._files.get(name, b"") for _, name in named}  # nothing else belongs to it
        self.description = json.loads(self._files["bundle.json"])
        self.classes = self.description["classes"]
        self.card = self._files["README.md"].decode()

    @property
    def weight_files(self):
        return sorted(name for name in self._files if name.endswith(".safetensors"))

    def weights(self, name):
        """The arrays of one file, as they are kept in it (rounded forms with their scales)."""
        content = self._files[name]
        (length,) = struct.unpack("<Q", content[:8])
        header = json.loads(content[8 : 8 + length])
        header.pop("__metadata__", None)
        data = memoryview(content)[8 + length :]
        out = {}
        for array, entry in header.items():
            begin, end = entry["data_offsets"]
            out[array] = numpy.frombuffer(data[begin:end], TYPES[entry["dtype"]]).reshape(entry["shape"])
        return out


def read_bundle(path):
    return Bundle(path)
