#!/usr/bin/env python3
"""One vector of 162 values a recording, by librosa, as an HDF5 file that an experiment takes as external features.

    python3 tools/features/librosa_vectors.py FOLDER vectors.h5
    python3 tools/features/librosa_vectors.py manifest.csv vectors.h5     (serval corpus scan CORPUS FOLDER --out ...)

The values are means over time at 22.05 kHz, with librosa's defaults (2048 samples a frame, 512 from one to the next):

    zero-crossing rate 1, chroma 12 (of the magnitude spectrum), MFCC 20, RMS 1, mel spectrogram 128 (power)

Needs librosa and h5py; Serval itself needs neither. It is an example to copy: whatever writes `data`, `offsets` and
`ids` like this can be used in the same way (docs/external_features.md).
"""
import argparse
import csv
import multiprocessing
import pathlib
import sys

SAMPLE_RATE_HZ = 22050
ENDINGS = {".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif"}


def column_names():
    names = ["zero_crossing_rate"]
    names += [f"chroma_{i}" for i in range(12)]
    names += [f"mfcc_{i}" for i in range(20)]
    names += ["rms"]
    names += [f"mel_{i}" for i in range(128)]
    return names


def vector(samples):
    import librosa
    import numpy as np

    magnitude = np.abs(librosa.stft(samples))
    parts = [
        librosa.feature.zero_crossing_rate(samples),
        librosa.feature.chroma_stft(S=magnitude, sr=SAMPLE_RATE_HZ),
        librosa.feature.mfcc(y=samples, sr=SAMPLE_RATE_HZ),
        librosa.feature.rms(y=samples),
        librosa.feature.melspectrogram(y=samples, sr=SAMPLE_RATE_HZ),
    ]
    return np.concatenate([part.mean(axis=1) for part in parts]).astype("float32")


def vector_of_file(job):
    import librosa

    path, offset_s, duration_s = job
    samples, _ = librosa.load(path, sr=SAMPLE_RATE_HZ, mono=True, offset=offset_s, duration=duration_s)
    if samples.size == 0:
        raise ValueError(f"{path}: no samples from {offset_s} s on")
    return vector(samples)


def list_recordings(source):
    """Pairs of id and path, in a fixed order."""
    if source.is_dir():
        files = sorted(p for p in source.rglob("*") if p.suffix.lower() in ENDINGS and not p.name.startswith("."))
        return [(p.relative_to(source).as_posix(), p) for p in files]
    with open(source, newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    return [(row.get("id") or row["path"], source.parent / row["path"]) for row in rows]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", type=pathlib.Path, help="folder of recordings, or a manifest (CSV with id and path)")
    parser.add_argument("output", type=pathlib.Path, help="HDF5 file to write")
    parser.add_argument("--offset", type=float, default=0.0, metavar="S", help="seconds to leave out at the start")
    parser.add_argument("--duration", type=float, default=None, metavar="S", help="seconds to take; the rest if left out")
    parser.add_argument("--processes", type=int, default=1)
    arguments = parser.parse_args()

    import h5py
    import librosa
    import numpy as np

    recordings = list_recordings(arguments.source)
    if not recordings:
        sys.exit(f"{arguments.source}: no recordings")
    jobs = [(path, arguments.offset, arguments.duration) for _, path in recordings]
    with multiprocessing.get_context("spawn").Pool(arguments.processes) as pool:
        data = np.stack(list(pool.imap(vector_of_file, jobs, chunksize=16)))

    # Under another name first: a half-written file is never taken for a whole one.
    part = arguments.output.with_name(arguments.output.name + ".part")
    with h5py.File(part, "w") as file:
        file["data"] = data
        file["offsets"] = np.arange(len(recordings) + 1, dtype="int64")  # one row a recording
        file["ids"] = [name for name, _ in recordings]
        file["columns"] = column_names()
        file.attrs["model"] = f"librosa {librosa.__version__}, means over time at {SAMPLE_RATE_HZ} Hz"
        file.attrs["description"] = "zero-crossing rate 1, chroma 12, MFCC 20, RMS 1, mel 128"
        file.attrs["offset_s"] = arguments.offset
        file.attrs["duration_s"] = -1.0 if arguments.duration is None else arguments.duration
    part.replace(arguments.output)
    print(f"{arguments.output}: {data.shape[0]} recordings of {data.shape[1]} values")


if __name__ == "__main__":
    main()
