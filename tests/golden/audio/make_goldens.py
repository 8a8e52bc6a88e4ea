#!/usr/bin/env python3
"""Writes tests/golden/audio/effects_golden.h: what librosa, scipy and noisereduce make of a synthetic signal.

Run with a Python that has numpy, scipy, librosa, soxr and noisereduce:
  make_goldens.py > tests/golden/audio/effects_golden.h
The programs get float64 samples, so that they compute in double precision as Serval does.
"""
import librosa
import noisereduce
import numpy as np
import scipy
import scipy.signal
import soxr

RATE = 16000


def signal(count):
    """A rising tone that comes and goes, a silence of zeros, and noise from a linear congruence."""
    state, noise = 1, np.empty(count)
    for n in range(count):
        state = (1664525 * state + 1013904223) % 2**32
        noise[n] = state / 2**32 - 0.5
    i = np.arange(count, dtype=np.float64)
    loud = np.where(i % 7000 < 4000, 0.4, 0.001)
    x = loud * np.sin(0.05 * i + 0.00001 * i * i) + 0.02 * noise
    x[9000:12500] = 0
    return x.astype(np.float32).astype(np.float64)


def show(name, values, step):
    kept = ", ".join(f"{v:.9g}" for v in np.asarray(values, dtype=np.float64)[::step])
    print(f'    {{"{name}", {len(values)}, {step}, {{{kept}}}}},')


x = signal(24000)
print(f"""// Made by tests/golden/audio/make_goldens.py with librosa {librosa.__version__}, scipy {scipy.__version__}, noisereduce 3.0.3
// and soxr {soxr.__version__}.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace serval::audio::golden {{

// Every `step`-th of `count` samples.
struct Effect {{
  std::string name;
  std::size_t count;
  std::size_t step;
  std::vector<double> samples;
}};
// clang-format off
inline const std::vector<Effect> kEffects = {{""")
show("signal", x, 97)
for rate in (0.8, 0.93, 1.0, 1.21, 2.0):
    show(f"stretch {rate}", librosa.effects.time_stretch(x, rate=rate), 97)
show("stretch short", librosa.effects.time_stretch(x[:700], rate=1.3), 7)
for steps in (-2, 0.7, 5):
    show(f"pitch {steps}", librosa.effects.pitch_shift(x, sr=RATE, n_steps=steps), 97)
for rate in (0.9, 1.1):
    show(f"speed {rate}", librosa.resample(x, orig_sr=RATE * rate, target_sr=RATE), 97)
show("roll 5000", np.roll(x, 5000), 97)
show("roll -77", np.roll(x, -77), 97)
for cutoff in (300, 3400, 7900):
    sections = scipy.signal.butter(4, cutoff, fs=RATE, output="sos")
    show(f"low_pass {cutoff}", scipy.signal.sosfilt(sections, x), 97)
response = signal(3000)[::-1] * np.exp(-np.arange(3000) / 400.0)
direct = response[np.argmax(np.abs(response)):]
wet = scipy.signal.convolve(x, direct)[: len(x)]
show("room", wet * np.sqrt(np.mean(x**2) / np.mean(wet**2)), 97)
show("pre_emphasis 0.97", librosa.effects.preemphasis(x, coef=0.97), 97)
show("noise 1.5 1", noisereduce.reduce_noise(x, RATE, stationary=True), 97)
show("noise 0.5 0.7", noisereduce.reduce_noise(x, RATE, stationary=True, n_std_thresh_stationary=0.5, prop_decrease=0.7), 97)
show("noise 48000", noisereduce.reduce_noise(x, 48000, stationary=True), 97)
show("noise short", noisereduce.reduce_noise(x[:1100], RATE, stationary=True), 7)
show("noise long", noisereduce.reduce_noise(signal(640000), RATE, stationary=True), 4999)
print("};\n// clang-format on\n")
print("""struct Split {
  double cut_silence_db;
  std::vector<std::size_t> edges;  // begin, end, begin, end, ...
};
inline const std::vector<Split> kSplits = {""")
for top_db in (3, 10, 20, 30, 60):
    edges = ", ".join(str(e) for e in librosa.effects.split(x, top_db=top_db).reshape(-1))
    print(f"    {{{top_db}, {{{edges}}}}},")
print("};\n\n}  // namespace serval::audio::golden")
