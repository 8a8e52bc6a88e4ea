"""Reads what tests/install/make_bundle.sh made, and a run and its stores where they are: try_reader.py FOLDER."""

import sys
from pathlib import Path

import numpy
import serval

folder = Path(sys.argv[1])
bundle = serval.read_bundle(folder / "demo.bundle")
one_file = serval.read_bundle(folder / "demo.serval")
assert bundle.description == one_file.description and len(bundle.classes) == 8, bundle.classes
assert bundle.card.startswith("# ")
for name in bundle.weight_files:
    ours, theirs = bundle.weights(name), one_file.weights(name)
    assert ours.keys() == theirs.keys() and len(ours) > 3
    for array in ours:
        numpy.testing.assert_array_equal(ours[array], theirs[array])

damaged = bytearray((folder / "demo.serval").read_bytes())
damaged[len(damaged) // 2] ^= 1
(folder / "damaged.serval").write_bytes(damaged)
try:
    serval.read_bundle(folder / "damaged.serval")
except ValueError as error:
    assert "SHA256SUMS" in str(error)
else:
    sys.exit("a damaged bundle was read")

run = serval.read_run(folder / "run")
predictions = run.predictions()
scores = predictions[[f"p_{name}" for name in bundle.classes]]
assert numpy.allclose(scores.sum(axis=1), 1, atol=1e-5)
right = predictions[predictions.label == predictions.predicted]
recalls = (right.groupby("label").size() / predictions.groupby("label").size()).reindex(bundle.classes).fillna(0)
pooled = run.results["pooled"]["uar"]
assert abs(recalls.mean() - pooled) < 1e-9, (recalls.mean(), pooled)
known = set(run.manifest().id)
assert len(known) == len(run.manifest()) and set(predictions.recording) <= known
assert list(run.history("lstm", 1, 1).epoch)[0] == 1
print("read: bundle, one-file bundle, run")

try:
    import h5py  # noqa: F401
except ImportError:
    print("h5py is not installed: stores were not read")
    sys.exit()
for kind in ("audio", "features"):
    path = next((folder / "stores").glob(f"{kind}-*[0-9a-f].h5"))
    with serval.read_store(path) as store:
        assert len(store) >= len(run.manifest()), len(store)
        values = store[store.ids[0]]
        assert numpy.isfinite(values).all() and values.ndim == (1 if kind == "audio" else 2)
print("read: stores")
