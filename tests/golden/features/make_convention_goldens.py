#!/usr/bin/env python3
"""Makes the goldens of tests/features/conventions_test.cc: what each package makes of the synthetic voices.

Run it where librosa, torch, torchaudio, kaldi-native-fbank and opensmile are installed; it reads the signals that
make_goldens.py wrote and tools/reference/conventions.py, and writes conventions.json and conventions.f32 (all cases
behind each other, [frame, dimension] each).
"""
import json
import pathlib
import sys

import numpy as np

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parents[2] / "tools" / "reference"))
import conventions  # noqa: E402

LARGE = ("librosa_magnitude", "librosa_power", "torchaudio_log_mel", "librosa_log_mel", "speech_log_mel")


def main():
    cases, values = [], []
    for name, (rate_hz, settings, reference) in conventions.CASES.items():
        if name in LARGE:
            continue
        samples = np.fromfile(HERE / f"voice_{rate_hz}.i16", dtype="<i2")[:rate_hz // 2]
        out = reference(samples.astype(np.float64) / 32768)
        cases.append({"name": name, "sample_rate_hz": rate_hz, "frames": out.shape[0], "dimension": out.shape[1],
                      "settings": settings})
        values.append(out.astype("<f4").ravel())
    np.concatenate(values).tofile(HERE / "conventions.f32")
    (HERE / "conventions.json").write_text(json.dumps({"versions": conventions.versions(), "cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
