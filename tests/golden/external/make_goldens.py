"""Makes the files beside it with h5py, NumPy and openSMILE:

    python3 tests/golden/external/make_goldens.py

Item i holds value(i, frame, column) = 16 i + 2 frame + column / 8 - 3, which float16 holds exactly; integer types
hold eight times as much. The signals given to openSMILE are sums of sines.
"""
import pathlib
import shutil
import tempfile

import h5py
import numpy as np
import opensmile
import scipy.io.wavfile

here = pathlib.Path(__file__).parent


def value(item, frames, columns):
    frame, column = np.mgrid[0:frames, 0:columns]
    return 16.0 * item + 2.0 * frame + column / 8.0 - 3.0


def datasets():
    with h5py.File(here / "datasets.h5", "w") as file:
        file.attrs["model"] = "facebook/wav2vec2-base"
        file.attrs["description"] = np.bytes_("layer 9")
        file.attrs["layer"] = 9
        file.attrs["ignored"] = [1, 2, 3]
        for item, kind in enumerate(["<f2", "<f4", ">f4", "<f8", ">f8"]):
            file[f"float_{item}"] = value(item, 4, 3).astype(kind)
        for item, kind in enumerate(["i1", "<u2", ">i4", "<i8"], start=5):
            file[f"whole/int_{item}"] = (8 * value(item - 5, 4, 3)).astype(kind)
        file["vector"] = value(9, 1, 3)[0].astype("f4")
        file.create_dataset("packed", data=value(10, 4, 3).astype("f4"), chunks=(2, 2), compression="gzip", shuffle=True)
        file["bad/batch"] = np.zeros((1, 4, 3), "f4")
        file["bad/scalar"] = 3.0
        file["bad/flags"] = np.array([True, False, True])
        file["bad/complex"] = np.zeros(3, "c8")
        file["bad/texts"] = ["a", "b"]
        file["bad/empty"] = np.zeros((0, 3), "f4")
        file["bad/wide"] = np.zeros((2, 4), "f4")
        file["bad/nan"] = np.array([[1, 2, 3], [4, np.nan, 6]], "f4")
        file["bad/large"] = np.array([1.0, 1e300, 1.0])
        file.create_dataset("bad/unfilled", shape=(4, 3), dtype="f4")
        file["soft"] = h5py.SoftLink("/float_0")
        file["outside"] = h5py.ExternalLink("other.h5", "/float_0")
        layout = h5py.VirtualLayout(shape=(4, 3), dtype="f4")
        layout[:] = h5py.VirtualSource("other.h5", "x", shape=(4, 3))
        file.create_virtual_dataset("bad/virtual", layout)


def ragged():
    frames = [2, 5, 1]
    ids = ["demo/a", "demo/b", "demo/ü"]
    data = np.concatenate([value(i, n, 3) for i, n in enumerate(frames)])
    offsets = np.concatenate([[0], np.cumsum(frames)])
    with h5py.File(here / "ragged_variable.h5", "w") as file:
        file.create_dataset("data", data=data.astype("f2"), chunks=(3, 2), compression="gzip")
        file["offsets"] = offsets.astype("<u4")
        file["ids"] = ids
    with h5py.File(here / "ragged_fixed.h5", "w") as file:
        group = file.create_group("layer_9")
        group.attrs["model"] = "nine"
        group["data"] = data.astype(">f8")
        group["offsets"] = offsets.astype(">i8")
        group["ids"] = np.array([i.encode() for i in ids], "S12")


def matrix():
    with h5py.File(here / "matrix.h5", "w") as file:
        file["features"] = np.stack([value(i, 1, 3)[0] for i in range(3)]).astype("f4")
        file["ids"] = ["a.wav", "b.wav", "c.wav"]
    with h5py.File(here / "matrix_time.h5", "w") as file:
        file["features"] = np.stack([value(i, 4, 3) for i in range(3)]).astype("f8")
        file["ids"] = np.array(["a", "b", "c"], "S")


def npy():
    folder = here / "npy"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for item, kind in enumerate(["<f2", "<f4", ">f4", "<f8", ">f8"]):
        np.save(folder / f"float_{item}.npy", value(item, 4, 3).astype(kind))
    (folder / "whole").mkdir()
    for item, kind in enumerate(["i1", "<u2", ">i4", "<i8"], start=5):
        np.save(folder / "whole" / f"int_{item}.npy", (8 * value(item - 5, 4, 3)).astype(kind))
    np.save(folder / "vector.npy", value(9, 1, 3)[0].astype("f4"))
    np.save(folder / "fortran.npy", np.asfortranarray(value(10, 4, 3).astype("f4")))
    for version in (1, 2, 3):
        with open(folder / f"version_{version}.npy", "wb") as file:
            np.lib.format.write_array(file, value(10 + version, 4, 3).astype("f4"), version=(version, 0))
    (folder / "bad").mkdir()
    np.save(folder / "bad/objects.npy", np.array([{"a": 1}, None], dtype=object), allow_pickle=True)
    np.save(folder / "bad/records.npy", np.zeros(2, [("a", "f4"), ("b", "i2")]))
    np.save(folder / "bad/texts.npy", np.array(["a", "bc"]))
    np.save(folder / "bad/flags.npy", np.array([True, False]))
    np.save(folder / "bad/complex.npy", np.zeros(2, "c8"))
    np.save(folder / "bad/batch.npy", np.zeros((1, 4, 3), "f4"))
    np.save(folder / "bad/scalar.npy", np.float32(3))
    np.save(folder / "bad/empty.npy", np.zeros((0, 3), "f4"))
    np.save(folder / "bad/nan.npy", np.array([1, np.inf, 3], "f4"))
    np.save(folder / "bad/wide.npy", np.zeros((2, 4), "f4"))


def npy_matrix():
    folder = here / "npy_matrix"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    np.save(folder / "vectors.npy", np.asfortranarray(np.stack([value(i, 1, 3)[0] for i in range(3)]).astype("f4")))
    np.save(folder / "ids.npy", np.array(["a", "b", "ü"]))


def npz():
    np.savez(here / "arrays.npz", **{"demo/a": value(0, 4, 3).astype("f4"), "demo/b": value(1, 2, 3), "c": np.array(["x"])})
    frames = [2, 5, 1]
    np.savez_compressed(
        here / "ragged.npz",
        data=np.concatenate([value(i, n, 3) for i, n in enumerate(frames)]).astype(">f4"),
        offsets=np.concatenate([[0], np.cumsum(frames)]).astype("u2"),
        ids=np.array(["a", "b", "c"]),
    )
    np.savez_compressed(here / "matrix.npz", features=np.stack([value(i, 4, 3) for i in range(3)]), ids=np.array([b"a", b"b", b"c"]))


def tables():
    with tempfile.TemporaryDirectory() as name:
        files = []
        for i in range(3):
            time = np.arange(8000) / 16000
            wave = sum(np.sin(2 * np.pi * (120 + 15 * i) * k * time) / k for k in range(1, 9))
            files.append(str(pathlib.Path(name) / f"tone_{i}.wav"))
            scipy.io.wavfile.write(files[-1], 16000, (4000 * wave).astype("i2"))
        for level, file in (("Functionals", "opensmile.csv"), ("LowLevelDescriptors", "opensmile_frames.csv")):
            smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, getattr(opensmile.FeatureLevel, level))
            frame = smile.process_files(files).round(4)
            if level != "Functionals":
                frame = frame.iloc[:, :3]
            text = frame.to_csv().replace(name, "/home/someone/corpus")
            (here / file).write_text(text)


datasets()
ragged()
matrix()
npy()
npy_matrix()
npz()
tables()
