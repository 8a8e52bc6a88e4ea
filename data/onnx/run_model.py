"""Runs an ONNX model that Serval wrote on items that Serval prepared, each alone and 32 together.

    python3 run_model.py MODEL FOLDER

FOLDER/items.json says what is in FOLDER: for each input its name, that of its lengths ("" where it has none), its columns (0:
items are vectors of samples), how many rows each item has, and the file of all of them one after the other, float32. Writes
scores_1.f32 and scores_32.f32, a row an item, and told.json. Needs numpy and onnxruntime; onnx, where it is there, checks the
model too. Exit code 3: onnxruntime is not there or too old; 4: it does not take the model.
"""
import json
import os
import sys

BATCH = 32
NEEDED = (1, 12)  # the first release that reads operator set 17


def fail(code, text):
    print(text, file=sys.stderr)
    sys.exit(code)


try:
    import numpy
    import onnxruntime
except ImportError as error:
    fail(3, f"{sys.executable}: {error}")


def check(path):
    try:
        import onnx
    except ImportError:
        return ""
    onnx.checker.check_model(path, full_check=True)
    return onnx.__version__


def read_items(folder):
    with open(os.path.join(folder, "items.json"), encoding="utf-8") as file:
        told = json.load(file)
    items = []
    for source in told["inputs"]:
        rows = numpy.fromfile(os.path.join(folder, source["file"]), dtype="<f4")
        if source["columns"] > 0:
            rows = rows.reshape(-1, source["columns"])
        ends = numpy.cumsum(source["counts"])
        items.append([rows[end - count : end] for end, count in zip(ends, source["counts"])])
    return told["inputs"], items


def batch_of(inputs, items, numbers):
    """What stands behind an item's end must not count, so it is not silence."""
    feeds = {}
    for source, own in zip(inputs, items):
        chosen = [own[number] for number in numbers]
        if source["lengths"] == "":
            feeds[source["name"]] = numpy.concatenate(chosen)
            continue
        lengths = numpy.array([len(item) for item in chosen], dtype=numpy.int64)
        shape = (len(chosen), lengths.max()) + chosen[0].shape[1:]
        padded = numpy.full(shape, 0.25, dtype=numpy.float32)
        for row, item in enumerate(chosen):
            padded[row, : len(item)] = item
        feeds[source["name"]] = padded
        feeds[source["lengths"]] = lengths
    return feeds


def main():
    path, folder = sys.argv[1:3]
    version = tuple(int(part) for part in onnxruntime.__version__.split(".")[:2])
    if version < NEEDED:
        fail(3, f"onnxruntime {onnxruntime.__version__} does not read operator set 17; 1.12 or newer does")
    try:
        checker = check(path)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        inputs, items = read_items(folder)
        count = len(items[0])
        for size in (1, BATCH):
            scores = []
            for first in range(0, count, size):
                # The last batch is full too: of items that were there before.
                numbers = [number % count for number in range(first, first + size)]
                rows = session.run(None, batch_of(inputs, items, numbers))[0]
                scores.append(rows[: count - first])
            numpy.concatenate(scores).astype("<f4").tofile(os.path.join(folder, f"scores_{size}.f32"))
    except Exception as error:  # whatever the runtime throws is what the user must read
        fail(4, f"{type(error).__name__}: {error}")
    told = {"onnxruntime": onnxruntime.__version__, "onnx": checker, "python": sys.version.split()[0]}
    with open(os.path.join(folder, "told.json"), "w", encoding="utf-8") as file:
        json.dump(told, file)


main()
