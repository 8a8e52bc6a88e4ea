"""A store of decoded audio or features."""

from pathlib import Path

import numpy


class Store:
    """One array a recording, by its id: features [frame, value], audio as samples at full scale 1."""

    def __init__(self, path):
        import h5py  # only stores need it

        self._files = []
        self._place = {}  # id: (file, item)
        path = Path(path)
        first = h5py.File(path, "r")
        self.attributes = {name: value for name, value in first.attrs.items()}
        if "shards" in first:
            count = first["shards"].shape[0]
            first.close()
            names = [path.with_name(f"{path.stem}.{k:03d}{path.suffix}") for k in range(count)]
            self._files = [h5py.File(name, "r") for name in names]
        else:
            self._files = [first]
        for file in self._files:
            for item, name in enumerate(file["ids"].asstr()[:]):
                self._place[name] = (file, item)

    @property
    def ids(self):
        return list(self._place)

    def __len__(self):
        return len(self._place)

    def __getitem__(self, name):
        file, item = self._place[name]
        begin, end = file["offsets"][item : item + 2]
        values = file["data"][begin:end]
        if "scale" in file:
            return values[:, 0] * numpy.float32(file["scale"][item])
        return values

    def close(self):
        for file in self._files:
            file.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def read_store(path):
    return Store(path)
