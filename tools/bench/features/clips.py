"""Clips that every program in the comparison gets: mono float32 in memory, decoded once.

    clips.py FOLDER OUT [--rate HZ] [--every N]     decode a folder of recordings into one file

The file: "SRVCLIPS", int64 rate, int64 count, int64 samples of each clip, float32 samples.
"""
import argparse
import pathlib

import numpy as np

MAGIC = b"SRVCLIPS"


def write_clips(path, clips, rate_hz):
    with open(path, "wb") as file:
        file.write(MAGIC)
        np.array([rate_hz, len(clips)] + [len(clip) for clip in clips], np.int64).tofile(file)
        for clip in clips:
            np.asarray(clip, np.float32).tofile(file)


def read_clips(path):
    """The clips and their rate in Hz."""
    data = pathlib.Path(path).read_bytes()
    if data[:8] != MAGIC:
        raise SystemExit(f"{path}: not a file of clips")
    rate_hz, count = np.frombuffer(data, np.int64, 2, 8)
    sizes = np.frombuffer(data, np.int64, count, 24)
    samples = np.frombuffer(data, np.float32, sizes.sum(), 24 + 8 * count)
    return [clip.copy() for clip in np.split(samples, np.cumsum(sizes)[:-1])], int(rate_hz)


def decode_folder(folder, rate_hz, every):
    """Every `every`th recording under `folder`, by path, mixed to mono and resampled."""
    import soundfile
    import soxr

    endings = {".wav", ".flac", ".ogg", ".opus"}
    paths = sorted(p for p in pathlib.Path(folder).rglob("*") if p.suffix.lower() in endings)[::every]
    if not paths:
        raise SystemExit(f"{folder}: holds no recordings (wav, flac, ogg, opus)")
    clips = []
    for path in paths:
        samples, from_hz = soundfile.read(path, dtype="float32", always_2d=True)
        clips.append(soxr.resample(samples.mean(axis=1), from_hz, rate_hz, "HQ").astype(np.float32))
    return clips


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("out")
    parser.add_argument("--rate", type=int, default=16000)
    parser.add_argument("--every", type=int, default=1)
    arguments = parser.parse_args()
    clips = decode_folder(arguments.folder, arguments.rate, arguments.every)
    write_clips(arguments.out, clips, arguments.rate)
    print(f"{len(clips)} clips, {sum(map(len, clips)) / arguments.rate:.0f} s")


if __name__ == "__main__":
    main()
