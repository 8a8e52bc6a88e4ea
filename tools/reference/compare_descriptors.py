#!/usr/bin/env python3
"""Compares Serval's descriptors with librosa's on real recordings and prints a Markdown table.

Serval decodes and resamples some recordings of each corpus into its audio store and extracts the features; librosa
then computes, in double precision, on the very samples of that store. How far librosa is from that in single
precision, its default, stands beside it. Needs librosa, numpy and h5py. Example:

  tools/reference/compare_descriptors.py --serval build/cpu/serval --corpora "$SERVAL_CORPORA" --work /tmp/compare

Recordings are neither copied nor changed; the work folder holds their decoded samples, so delete it afterwards.
"""
import argparse
import csv
import json
import pathlib
import subprocess

import h5py
import librosa
import numpy as np

RATE_HZ = 22050
CORPORA = ("ravdess", "tess", "savee", "crema_d")
TYPES = {
    "zcr": {},
    "rms": {},
    "centroid": {},
    "bandwidth": {},
    "rolloff": {},
    "flatness": {},
    "contrast": {},
    "contrast, linear": {"type": "contrast", "contrast_linear": True},
    "chroma": {},
    "chroma of magnitudes": {"type": "chroma", "power": 1},
    "chroma, tuning given": {"type": "chroma", "tuning": 0},
}
# Of values above this share of their clip's largest; a relative difference says nothing about the others.
LEAST = 1e-6
AGREES = 1e-4


def settings_of(name):
    return {"type": name, **TYPES[name], "preset": "librosa"}


def reference(name, y, S):
    """[frame, column] for samples y and magnitudes S"""
    f = librosa.feature
    return {
        "zcr": lambda: f.zero_crossing_rate(y),
        "rms": lambda: f.rms(y=y, dtype=y.dtype),
        "centroid": lambda: f.spectral_centroid(S=S, sr=RATE_HZ),
        "bandwidth": lambda: f.spectral_bandwidth(S=S, sr=RATE_HZ),
        "rolloff": lambda: f.spectral_rolloff(S=S, sr=RATE_HZ),
        "flatness": lambda: f.spectral_flatness(S=S),
        "contrast": lambda: f.spectral_contrast(S=S, sr=RATE_HZ),
        "contrast, linear": lambda: f.spectral_contrast(S=S, sr=RATE_HZ, linear=True),
        "chroma": lambda: f.chroma_stft(S=S**2, sr=RATE_HZ),
        "chroma of magnitudes": lambda: f.chroma_stft(S=S, sr=RATE_HZ),
        "chroma, tuning given": lambda: f.chroma_stft(S=S**2, sr=RATE_HZ, tuning=0.0),
    }[name]().T


def run(serval, *arguments):
    return subprocess.run([str(serval), *map(str, arguments)], check=True, stdout=subprocess.PIPE, text=True).stdout


def extract(serval, corpus, folder, clips, work):
    """Sample arrays, and for each type a feature matrix of each clip."""
    work.mkdir(parents=True, exist_ok=True)
    rows = list(csv.reader(run(serval, "corpus", "scan", corpus, folder).splitlines()))
    chosen = [rows[1 + i * (len(rows) - 1) // clips] for i in range(clips)]
    with open(work / "manifest.csv", "w", newline="") as out:
        csv.writer(out).writerows([rows[0], *chosen])
    experiment = {
        "name": "compare", "corpora": [{"file": str(work / "manifest.csv"), "path": str(folder)}], "labels": "eight",
        "audio": {"sample_rate_hz": RATE_HZ}, "store": str(work / "store"),
        "features": {f"f{i}": settings_of(name) for i, name in enumerate(TYPES)},
        "folds": {"count": 2, "validation_actors": 0},
        "models": {"m": {"input": {"features": "f0"}, "network": {"layers": [{"type": "mean_pool"}, {"type": "dense"}]}}},
        "train": {"select": "last"},
    }
    (work / "experiment.json").write_text(json.dumps(experiment, indent=2))
    answer = json.loads(run(serval, "features", work / "experiment.json", "--json", "--device", "cpu"))
    [audio] = (work / "store").glob("audio-*.h5")

    def items(path):
        with h5py.File(path) as file:
            offsets, data = file["offsets"][:], file["data"][:]
            scale = file["scale"][:] if "scale" in file else None
        parts = [data[a:b] for a, b in zip(offsets, offsets[1:])]
        return parts if scale is None else [p[:, 0] * np.float64(s) for p, s in zip(parts, scale)]

    return items(audio), {name: items(answer["features"][f"f{i}"]["store"]) for i, name in enumerate(TYPES)}


class Tally:
    def __init__(self):
        self.worst = self.worst_relative = 0.0
        self.frames = self.agreeing = 0
        self.differences = []

    def add(self, got, expected):
        assert got.shape == expected.shape, (got.shape, expected.shape)
        assert np.isfinite(got).all()
        difference = np.abs(got.astype(np.float64) - expected)
        largest = np.abs(expected).max()
        counts = np.abs(expected) > LEAST * largest
        relative = np.divide(difference, np.abs(expected), out=np.zeros_like(difference), where=counts)
        self.differences.append(difference.ravel())
        self.worst = max(self.worst, difference.max())
        self.worst_relative = max(self.worst_relative, relative.max())
        near = (relative <= AGREES) & (counts | (difference <= LEAST * max(largest, 1e-30)))
        self.frames += len(got)
        self.agreeing += int(near.all(axis=1).sum())

    def cells(self):
        most = np.percentile(np.concatenate(self.differences), 99)
        return (f"{self.worst:.2g} | {most:.2g} | {self.worst_relative:.2g} | "
                f"{100 * self.agreeing / self.frames:.2f} %")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--serval", type=pathlib.Path, required=True)
    parser.add_argument("--corpora", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--clips", type=int, default=25, help="recordings of each corpus")
    arguments = parser.parse_args()
    tallies = {}
    tunings = []
    for corpus in CORPORA:
        clips, features = extract(arguments.serval, corpus, arguments.corpora / corpus, arguments.clips,
                                  arguments.work / corpus)
        for i, y in enumerate(clips):
            S = np.abs(librosa.stft(y))
            single = y.astype(np.float32)
            S_single = np.abs(librosa.stft(single))
            assert S.dtype == np.float64 and S_single.dtype == np.float32
            for name in TYPES:
                tally, of_single = tallies.setdefault((name, corpus), (Tally(), Tally()))
                before = tally.agreeing
                expected = reference(name, y, S)
                tally.add(features[name][i], expected)
                of_single.add(reference(name, single, S_single), expected)
                if name == "chroma":
                    tunings.append(tally.agreeing - before == len(features[name][i]))
    print(f"librosa {librosa.__version__} in double precision, {arguments.clips} recordings of each corpus, "
          f"{RATE_HZ} Hz, preset librosa\n")
    columns = "worst | 99 % within | worst relative | frames within 1e-4"
    print(f"| descriptor | corpus | frames | {columns} | librosa, single: {columns} |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for (name, corpus), (t, of_single) in sorted(tallies.items(), key=lambda item: list(TYPES).index(item[0][0])):
        print(f"| {name} | {corpus} | {t.frames} | {t.cells()} | {of_single.cells()} |")
    print(f"\nchroma with estimated tuning agree in every frame: {sum(tunings)} of {len(tunings)} recordings")


if __name__ == "__main__":
    main()
