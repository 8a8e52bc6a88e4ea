#!/usr/bin/env python3
"""Compares pitch and harmonicity of real recordings with librosa and Praat, and times both sides in turn.

  tools/reference/compare_pitch.py --tool build/cpu/serval_reference_extract --corpora $SERVAL_CORPORA [--clips 20]

Both sides get the same floats: RAVDESS at its 22,050 Hz, the others at 16,000 Hz. librosa and Praat compute in double
precision. A frame agrees when both have no voice, or f0 differs by at most 1e-4 of itself (HNR: by 0.01 dB).
librosa's YIN has no voicing: Serval's says which frames are voiced. Prints a Markdown table. Needs librosa,
praat-parselmouth, scipy and soundfile; run it with NUMBA_NUM_THREADS=1 and OMP_NUM_THREADS=1 for the ratios of time.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import librosa
import numpy as np
import scipy.signal
import soundfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/golden/features"))
from make_pitch_goldens import hnr as praat_hnr  # noqa: E402

CORPORA = {"ravdess": 22050, "savee": 16000, "tess": 16000, "crema_d": 16000}
WINDOW_MS, HOP_MS, LOW_HZ, HIGH_HZ = 64, 10, 65, 800


def clips_of(folder, count, rate_hz):
    """Evenly spaced recordings as (name, samples)."""
    files = sorted(p for p in folder.rglob("*") if p.suffix in (".flac", ".opus", ".wav"))
    for path in [files[i] for i in np.linspace(0, len(files) - 1, count).astype(int)]:
        x, own_hz = soundfile.read(path, dtype="float64", always_2d=True)
        x = x.mean(axis=1)
        if own_hz != rate_hz:
            shared = np.gcd(own_hz, rate_hz)
            x = scipy.signal.resample_poly(x, rate_hz // shared, own_hz // shared)
        yield path.name, x.astype(np.float32)


def serval(tool, settings, x, rate_hz):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "settings.json").write_text(json.dumps(settings))
        np.array([x.size], dtype="<i8").tofile(folder / "lengths.i64")
        x.astype("<f4").tofile(folder / "samples.f32")
        done = subprocess.run([tool, folder / "settings.json", str(rate_hz), folder / "samples.f32",
                               folder / "lengths.i64", folder / "values.f32"], capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(done.stderr)
        answer = json.loads(done.stdout)
        values = np.fromfile(folder / "values.f32", "<f4").reshape(-1, answer["dimension"])
    return values, answer["seconds"]


class Tally:
    def __init__(self):
        self.frames = self.agree = self.voicing = 0
        self.worst = self.worst_probability = self.worst_in_tolerance = 0.0
        self.own_s = self.other_s = 0.0

    def add(self, own, other, tolerance, relative, own_voiced=None, other_voiced=None):
        own_voiced = np.ones(own.size, bool) if own_voiced is None else own_voiced
        other_voiced = np.ones(other.size, bool) if other_voiced is None else other_voiced
        both = own_voiced & other_voiced
        difference = np.abs(own - other)
        if relative:
            difference = difference / np.maximum(np.abs(other), 1e-9)
        good = np.where(both, difference <= tolerance, own_voiced == other_voiced)
        self.frames += own.size
        self.agree += int(good.sum())
        self.voicing += int((own_voiced == other_voiced).sum())
        if both.any():
            self.worst = max(self.worst, float(difference[both].max()))
        if (both & good).any():
            self.worst_in_tolerance = max(self.worst_in_tolerance, float(difference[both & good].max()))

    def row(self, corpus, what, clips):
        ratio = f"{self.other_s / self.own_s:.0f}" if self.own_s > 0 else ""
        return (f"| {corpus} | {what} | {clips} | {self.frames} | {100 * self.agree / self.frames:.3f} % | "
                f"{100 * self.voicing / self.frames:.3f} % | {self.worst_in_tolerance:.1e} | {self.worst:.1e} | "
                f"{self.worst_probability:.1e} | {ratio} |")


def timed(function):
    start = time.perf_counter()
    value = function()
    return value, time.perf_counter() - start


def compare(tool, clips, rate_hz):
    yin, voiced_yin, pyin, hnr = Tally(), Tally(), Tally(), Tally()
    length, hop = int(np.floor(WINDOW_MS * rate_hz / 1000 + 0.5)), int(np.floor(HOP_MS * rate_hz / 1000 + 0.5))
    frames = {"window_samples": length, "hop_samples": hop}
    common = dict(fmin=LOW_HZ, fmax=HIGH_HZ, sr=rate_hz, frame_length=length, hop_length=hop)
    f0 = {"type": "f0", "f0_min_hz": LOW_HZ, "f0_max_hz": HIGH_HZ, **frames}
    for _, x in clips:
        y = x.astype(np.float64)
        own, own_s = serval(tool, {**f0, "f0_method": "yin", "unvoiced": "guess"}, x, rate_hz)
        other, other_s = timed(lambda: librosa.yin(y, **common))
        yin.add(own[:, 0], other, 1e-4, True)
        yin.own_s, yin.other_s = yin.own_s + own_s, yin.other_s + other_s
        voiced_yin.add(own[own[:, 1] > 0, 0], other[own[:, 1] > 0], 1e-4, True)

        own, own_s = serval(tool, f0, x, rate_hz)
        (pitch, voiced, probability), other_s = timed(lambda: librosa.pyin(y, fill_na=0, **common))
        pyin.add(own[:, 0], pitch, 1e-4, True, own[:, 1] > 0, voiced)
        pyin.worst_probability = max(pyin.worst_probability, float(np.abs(own[:, 2] - probability).max()))
        pyin.own_s, pyin.other_s = pyin.own_s + own_s, pyin.other_s + other_s

        settings = {"type": "hnr", "padding": "none", "hnr_lowest_db": -200, "hop_samples": hop}
        own, own_s = serval(tool, settings, x, rate_hz)
        other, other_s = timed(lambda: praat_hnr(y, settings, rate_hz)[:, 0])
        hnr.add(own[:, 0], other, 0.01, False, own[:, 0] > -199, other > -199)
        hnr.own_s, hnr.other_s = hnr.own_s + own_s, hnr.other_s + other_s
    return {"YIN": yin, "YIN, voiced frames": voiced_yin, "pYIN": pyin, "HNR": hnr}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", required=True)
    parser.add_argument("--corpora", required=True, type=pathlib.Path)
    parser.add_argument("--clips", type=int, default=20)
    args = parser.parse_args()
    tone = np.sin(np.arange(8000) * 0.1)
    librosa.pyin(tone, fmin=65, fmax=800, sr=8000, hop_length=80)  # so that what is compiled is compiled
    librosa.yin(tone, fmin=100, fmax=400, sr=8000)
    print("| corpus | method | clips | frames | frames that agree | voicing that agrees | worst of those that agree | "
          "worst of all | voicing probability, worst | times as fast |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for corpus, rate_hz in CORPORA.items():
        clips = list(clips_of(args.corpora / corpus, args.clips, rate_hz))
        for what, tally in compare(args.tool, clips, rate_hz).items():
            print(tally.row(corpus, what, len(clips)), flush=True)


if __name__ == "__main__":
    main()
