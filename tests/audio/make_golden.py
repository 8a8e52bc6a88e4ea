#!/usr/bin/env python3
"""Writes tests/audio/librosa_golden.h: what librosa makes of two synthetic signals.

Run with a Python that has numpy, librosa and soxr:  make_golden.py > tests/audio/librosa_golden.h
"""
import librosa
import numpy as np
import soxr

i = np.arange(30011, dtype=np.float64)
envelope = np.where(i < 7000, 1e-4, np.minimum(0.5, np.maximum(1e-4, (i - 7000) / 4000)))
envelope = np.where(i > 20000, 0.5 * np.exp(-(i - 20000) / 900), envelope)
burst = (envelope * np.sin(0.1 * i)).astype(np.float32)

k = np.arange(4410, dtype=np.float64) / 44100
chord = (0.5 * np.sin(2 * np.pi * 440 * k) + 0.25 * np.sin(2 * np.pi * 3000 * k)).astype(np.float32)

print(f"""// Made by tests/audio/make_golden.py with librosa {librosa.__version__} and soxr {soxr.__version__}.
#pragma once

#include <cstddef>
#include <vector>

namespace serval::audio::golden {{

struct Trim {{
  double trim_db;
  std::size_t begin, end;
}};
inline const std::vector<Trim> kTrims = {{""")
for top_db in (1, 3, 10, 20, 30, 40, 60, 90):
    _, (begin, end) = librosa.effects.trim(burst, top_db=top_db)
    print(f"    {{{top_db}, {begin}, {end}}},")
print("};\n")
for rate in (16000, 22050, 48000):
    y = librosa.resample(chord, orig_sr=44100, target_sr=rate, res_type="soxr_hq")
    values = ", ".join(f"{v:.8g}f" for v in y[::37])
    print(f"constexpr std::size_t kLength{rate} = {len(y)};")
    print(f"inline const std::vector<float> kEvery37th{rate} = {{{values}}};\n")
print("}  // namespace serval::audio::golden")
