#!/usr/bin/env python3
"""Compares Serval's features with the packages' own on recordings, and prints a Markdown table.

  compare.py --program build/cpu/serval_reference_extract [--corpora FOLDER] [--clips N] [--only WORD]

FOLDER holds one folder of recordings a corpus (default: SERVAL_CORPORA); N recordings of each are taken, spread over
the corpus. Both sides get the same 32-bit samples. Of spectra and mel bands, values within 60 dB of the peak count, as dB
where they are logarithms and as relative differences where they are not; every other value counts relative to the
largest of its column in the clip.
"""
import argparse
import os
import pathlib
import sys

import numpy as np

import conventions


def recordings(folder, count):
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".wav", ".flac", ".opus", ".ogg"))
    return [paths[i] for i in np.unique(np.linspace(0, len(paths) - 1, count).astype(int))] if paths else []


def load(path, rate_hz):
    import soundfile
    import soxr
    samples, rate = soundfile.read(path, dtype="float64", always_2d=True)
    samples = samples.mean(axis=1)
    if rate != rate_hz:
        samples = soxr.resample(samples, rate, rate_hz)
    return samples.astype(np.float32).astype(np.float64)


def difference(got, expected, settings):
    """(worst dB difference within 60 dB of the peak or None, worst relative difference)"""
    if got.shape != expected.shape:
        raise SystemExit(f"shapes {got.shape} and {expected.shape}")
    delta = np.abs(got - expected)
    if settings["type"] in ("mel", "spectrum"):
        near = expected >= expected.max() * (1e-3 if settings.get("power") == 1 else 1e-6)
        return None, (delta[near] / expected[near]).max()
    if settings["type"] == "log_mel":
        natural = settings.get("log") == "natural" or settings.get("preset") in ("kaldi", "htk")
        to_db = 10 / np.log(10) if natural else 1
        near = expected >= expected.max() - 60 / to_db
        return (delta * to_db)[near].max(), 0
    return None, np.nanmax(delta / np.maximum(np.nanmax(np.abs(expected), axis=0), 1e-12))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--corpora", default=os.environ.get("SERVAL_CORPORA"))
    parser.add_argument("--clips", type=int, default=20)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    if not args.corpora:
        sys.exit("no recordings: set SERVAL_CORPORA or give --corpora")
    corpora = {name: recordings(pathlib.Path(args.corpora) / name, args.clips)
               for name in ("ravdess", "crema_d", "tess", "savee")}
    corpora = {name: paths for name, paths in corpora.items() if paths}
    sounds = {}
    failed = False
    print("| case | " + " | ".join(corpora) + " |\n|---|" + "---|" * len(corpora))
    for name, (rate_hz, settings, reference) in {**conventions.CASES, **conventions.voice_cases()}.items():
        if args.only not in name:
            continue
        cells = []
        for corpus, paths in corpora.items():
            if (corpus, rate_hz) not in sounds:
                sounds[corpus, rate_hz] = [load(path, rate_hz) for path in paths]
            clips = sounds[corpus, rate_hz]
            if settings.get("preset") == "htk":  # the package's Python side cuts samples down to 16 bits
                clips = [np.clip(np.round(clip * 32768), -32768, 32767) / 32768 for clip in clips]
            got = conventions.serval(args.program, settings, rate_hz, clips)
            worst = [difference(g, reference(clip), settings) for g, clip in zip(got, clips)]
            relative = max(w[1] for w in worst)
            if worst[0][0] is None:
                cells.append(f"{relative:.1e}")
                # 1e-3 dB of power or of magnitude; 1e-4 of anything else.
                spectral = settings["type"] in ("mel", "spectrum")
                allowed = (1.15e-4 if settings.get("power") == 1 else 2.3e-4) if spectral else 1e-4
                failed |= relative > (5e-4 if name.startswith("kaldi") else allowed)
            else:
                db = max(w[0] for w in worst)
                cells.append(f"{db:.1e} dB")
                # kaldi-native-fbank makes its filters in single precision.
                failed |= db > (5e-3 if name.startswith("kaldi") else 1e-3)
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    print("\n" + ", ".join(f"{k} {v}" for k, v in conventions.versions().items()) +
          f"; {args.clips} recordings a corpus")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
