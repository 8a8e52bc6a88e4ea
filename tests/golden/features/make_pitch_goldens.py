#!/usr/bin/env python3
"""Makes the golden values of tests/features/voice_golden_test.cc: librosa, Praat and scipy in double precision.

Run it in an environment with librosa, numpy, scipy and praat-parselmouth; it writes beside itself:
  pitch_<signal>.i16  the signals, 16-bit little-endian samples at 16 kHz, full scale 32768
  pitch.f32           the expected values, 32-bit little-endian floats, one case's [frame, dimension] behind the other
  pitch.json          the cases: settings as an experiment file would have them, sizes, and the versions used
"""
import json
import pathlib

import librosa
import numpy as np
import parselmouth
import scipy
import scipy.signal

HERE = pathlib.Path(__file__).parent
RATE_HZ = 16000


def harmonics(pitch_hz, gains):
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    return sum(g * np.cos((k + 1) * phase) for k, g in enumerate(gains))


def glide():
    """A glide, vibrato, breath without pitch, silence and a falling tone."""
    rng = np.random.default_rng(11)
    t = np.arange(4000) / RATE_HZ
    up = harmonics(110 * 2 ** (t / t[-1]), 1 / np.arange(1, 9))
    vibrato = harmonics(300 * 2 ** (np.sin(2 * np.pi * 6 * t) / 24), [1, 0.3, 0.5])
    down = harmonics(420 - 1000 * t, [1, 0.7, 0.2]) * np.linspace(1, 0.05, t.size)
    x = np.concatenate([up, vibrato, rng.standard_normal(1600), np.zeros(1200), down])
    return x + 1e-3 * rng.standard_normal(x.size) * (np.abs(x) > 0)


def traps():
    """Every other period weaker, a missing fundamental, a full-scale square, two tones at once."""
    t = np.arange(2400) / RATE_HZ
    pulses = np.zeros(2400)
    pulses[::80] = 1
    pulses[80::160] = 0.8
    subharmonic = scipy.signal.lfilter([1], [1, -1.6, 0.8], pulses)
    missing = harmonics(np.full(2400, 150.0), [0, 0, 1, 1, 1])
    square = np.where((np.arange(2400) % 100) < 50, 1.0, -1.0)
    two = np.cos(2 * np.pi * 200 * t) + np.cos(2 * np.pi * 310 * t)
    return np.concatenate([x / np.abs(x).max() for x in (subharmonic, missing, square, two)])


def noisy():
    """A harmonic tone under noise at 30, 20, 10 and 0 dB, then noise alone, quiet noise and silence."""
    rng = np.random.default_rng(12)
    tone = harmonics(np.full(3200, 180.0), np.ones(5)) / np.sqrt(2.5)
    steps = [tone + 10 ** (-db / 20) * rng.standard_normal(3200) for db in (30, 20, 10, 0)]
    return np.concatenate(steps + [rng.standard_normal(3200), 0.01 * rng.standard_normal(1600), np.zeros(2400)])


def to_i16(x):
    return np.clip(np.round(x / np.abs(x).max() * 32767), -32768, 32767).astype("<i2")


SIGNALS = {"pitch_glide": to_i16(glide()), "pitch_traps": to_i16(traps()), "pitch_noisy": to_i16(noisy())}

MEL = {"window_samples": 400, "hop_samples": 160, "n_fft": 512}
CASES = [
    ("pitch_glide", {"type": "f0", "f0_method": "yin", "unvoiced": "guess"}),
    ("pitch_glide", {"type": "f0", "f0_method": "yin", "unvoiced": "guess", "f0_min_hz": 50, "f0_max_hz": 2000,
                     "trough_threshold": 0.3, "window_samples": 768, "hop_samples": 200}),
    ("pitch_traps", {"type": "f0", "f0_method": "yin", "unvoiced": "guess", "padding": "none"}),
    ("pitch_glide", {"type": "f0"}),
    ("pitch_traps", {"type": "f0", "padding": "edge"}),
    ("pitch_noisy", {"type": "f0", "preset": "librosa", "f0_max_hz": 2000}),
    ("pitch_glide", {"type": "f0", "hop_samples": 48, "resolution_semitones": 0.34, "n_thresholds": 30, "beta_a": 1,
                     "beta_b": 9, "boltzmann": 1, "switch_probability": 0.05, "no_trough_probability": 0.1}),
    ("pitch_noisy", {"type": "hnr", "padding": "none", "hnr_lowest_db": -200}),
    ("pitch_noisy", {"type": "hnr", "padding": "none", "hnr_lowest_db": -200, "hnr_min_hz": 120, "hnr_periods": 3,
                     "hnr_silence": 0.02, "hop_samples": 200}),
    ("pitch_glide", {"type": "teager", "window_samples": 400, "hop_samples": 160}),
    ("pitch_noisy", {"type": "teager", "teager": "log_mean_abs", "window_samples": 400, "hop_samples": 160,
                     "padding": "none"}),
    ("pitch_glide", {"type": "modulation", **MEL, "n_mels": 4, "modulation_window_ms": 1000, "modulation_min_hz": 1}),
    ("pitch_noisy", {"type": "modulation", **MEL, "n_mels": 3, "log": "none", "modulation_bands": 3,
                     "modulation_window_ms": 333, "modulation_min_hz": 5}),
    ("pitch_glide", {"type": "pcen", **MEL, "n_mels": 6}),
    ("pitch_glide", {"type": "pcen", **MEL, "n_mels": 6, "power": 2, "pcen_bias": 0, "pcen_time_constant_ms": 60}),
    ("pitch_noisy", {"type": "pcen", **MEL, "n_mels": 6, "pcen_power": 0, "pcen_gain": 0.6, "pcen_eps": 1e-3}),
]


def f0(y, s):
    length = s.get("window_samples", 2048 if s.get("preset") == "librosa" else 1024)
    hop = s.get("hop_samples", 512 if s.get("preset") == "librosa" else 160)
    common = dict(sr=RATE_HZ, fmin=s.get("f0_min_hz", 65), fmax=s.get("f0_max_hz", 800), frame_length=length,
                  hop_length=hop, center=s.get("padding") != "none",
                  pad_mode="edge" if s.get("padding") == "edge" else "constant")
    if s.get("f0_method") == "yin":
        return librosa.yin(y, trough_threshold=s.get("trough_threshold", 0.1), **common)[:, None]
    pitch, voiced, probability = librosa.pyin(
        y, n_thresholds=s.get("n_thresholds", 100), beta_parameters=(s.get("beta_a", 2), s.get("beta_b", 18)),
        boltzmann_parameter=s.get("boltzmann", 2), resolution=s.get("resolution_semitones", 0.1),
        switch_prob=s.get("switch_probability", 0.01), no_trough_prob=s.get("no_trough_probability", 0.01),
        fill_na=0, **common)
    return np.stack([pitch, voiced, probability], 1)


def hnr(y, s, rate_hz=RATE_HZ):
    """Praat puts its frames in the middle of the sound; the sound is cut so that they lie where Serval's do."""
    hop, low_hz, periods = s.get("hop_samples", 160), s.get("hnr_min_hz", 75), s.get("hnr_periods", 4.5)
    window = int(2 * periods / low_hz * rate_hz + 1e-9) // 2 * 2
    frames = 1 + (y.size - (window - 2)) // hop
    # One sample in front, since Praat's window has two samples more, and one at each end against rounding.
    y = np.concatenate([[0, 0], y, [0, 0]])[:window + (frames - 1) * hop + 2]
    sound = parselmouth.Sound(y, rate_hz)
    harmonicity = sound.to_harmonicity_ac(hop / rate_hz, low_hz, s.get("hnr_silence", 0.1), periods)
    assert abs(harmonicity.xs()[0] * rate_hz - window / 2 - 1) < 1e-6 and harmonicity.xs().size == frames
    return harmonicity.values[0][:, None]


def teager(y, s):
    if s.get("padding") != "none":
        y = np.pad(y, s["window_samples"] // 2)
    x = librosa.util.frame(y, frame_length=s["window_samples"], hop_length=s["hop_samples"], axis=0)
    energy = x[:, 1:-1] ** 2 - x[:, :-2] * x[:, 2:]
    if s.get("teager") == "log_mean_abs":
        return np.log(np.maximum(np.mean(np.abs(energy), axis=1), 1e-10))[:, None]
    return np.mean(energy, axis=1)[:, None]


def mel(y, s, power):
    return librosa.feature.melspectrogram(y=y, sr=RATE_HZ, n_fft=s["n_fft"], win_length=s["window_samples"],
                                          hop_length=s["hop_samples"], n_mels=s["n_mels"], power=power,
                                          pad_mode="constant")


def modulation(y, s):
    bands = mel(y, s, 2)
    if s.get("log") != "none":
        bands = librosa.power_to_db(bands)
    frame_rate_hz = RATE_HZ / s["hop_samples"]
    window = int(np.floor(s["modulation_window_ms"] / 1000 * frame_rate_hz + 0.5))
    padded = np.pad(bands.T, ((window // 2, window - 1 - window // 2), (0, 0)), mode="edge")
    hann = scipy.signal.get_window("hann", window)
    hz = np.fft.rfftfreq(window, 1 / frame_rate_hz)
    rows = []
    for f in range(bands.shape[1]):
        x = padded[f:f + window]
        amplitude = 2 * np.abs(np.fft.rfft(hann[:, None] * (x - x.mean(0)), axis=0)) / hann.sum()
        ends = [s["modulation_min_hz"] * 2 ** b - 1e-9 for b in range(s.get("modulation_bands", 5) + 1)]
        rows.append([amplitude[(hz >= low) & (hz < high), m].mean()
                     for m in range(s["n_mels"]) for low, high in zip(ends, ends[1:])])
    return np.array(rows)


def pcen(y, s):
    with np.errstate(divide="ignore"):
        return librosa.pcen(mel(y, s, s.get("power", 1)), sr=RATE_HZ, hop_length=s["hop_samples"],
                            gain=s.get("pcen_gain", 0.98), bias=s.get("pcen_bias", 2), power=s.get("pcen_power", 0.5),
                            time_constant=s.get("pcen_time_constant_ms", 400) / 1000, eps=s.get("pcen_eps", 1e-6)).T


def main():
    maker = {"f0": f0, "hnr": hnr, "teager": teager, "modulation": modulation, "pcen": pcen}
    for name, samples in SIGNALS.items():
        samples.tofile(HERE / f"{name}.i16")
    cases, values = [], []
    for signal, settings in CASES:
        expected = maker[settings["type"]](SIGNALS[signal].astype(np.float64) / 32768, settings).astype("<f4")
        cases.append({"signal": signal, "frames": expected.shape[0], "dimension": expected.shape[1],
                      "settings": settings})
        values.append(expected.ravel())
    np.concatenate(values).tofile(HERE / "pitch.f32")
    versions = {"librosa": librosa.__version__, "numpy": np.__version__, "scipy": scipy.__version__,
                "praat-parselmouth": parselmouth.__version__, "Praat": parselmouth.PRAAT_VERSION}
    text = json.dumps({"versions": versions, "sample_rate_hz": RATE_HZ, "cases": cases}, indent=1)
    (HERE / "pitch.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
