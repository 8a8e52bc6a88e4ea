#!/usr/bin/env python3
"""Makes the golden features of tests/features/golden_test.cc with librosa in double precision.

Run it in an environment with librosa, numpy and scipy; it writes beside itself:
  <signal>.i16   the signals, 16-bit little-endian samples, full scale 32768
  <case>.f32     the expected features, 32-bit little-endian floats, [frame, dimension]
  goldens.json   the cases: settings as an experiment file would have them, sizes, and the versions used
"""
import json
import pathlib

import librosa
import numpy as np
import scipy
import scipy.signal

HERE = pathlib.Path(__file__).parent


def voice(rate_hz, seconds, seed):
    """A gliding voice with formants and breath, a pause of exact silence, and a loud click."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(rate_hz * seconds)) / rate_hz
    pitch_hz = 120 + 60 * np.sin(2 * np.pi * 0.9 * t) + 40 * t
    phase = 2 * np.pi * np.cumsum(pitch_hz) / rate_hz
    x = np.zeros_like(t)
    for k in range(1, 40):
        gain = sum(g / (1 + ((k * pitch_hz - f) / w) ** 2) for f, w, g in ((700, 130, 1), (1220, 150, 0.5), (2600, 250, 0.25)))
        x += gain * np.sin(k * phase) * (k * pitch_hz < rate_hz / 2)
    x = x * (0.2 + 0.8 * np.sin(np.pi * t / t[-1]) ** 2) + 0.003 * rng.standard_normal(t.size)
    x[int(0.6 * t.size):int(0.75 * t.size)] = 0
    x[int(0.9 * t.size)] += 2
    return np.round(x / np.abs(x).max() * 30000).astype("<i2")


SIGNALS = {
    "voice_22050": (22050, voice(22050, 1.2, 1)),
    "voice_16000": (16000, voice(16000, 1.0, 2)),
    "short_16000": (16000, voice(16000, 0.085, 3)),
}

SPEECH = {"window_samples": 400, "hop_samples": 160, "n_fft": 512, "n_mels": 64}
MUSIC = {"window_samples": 2048, "hop_samples": 512, "n_fft": 2048, "n_mels": 128}
CASES = {
    "log_mel_librosa": ("voice_22050", {"type": "log_mel", **MUSIC}),
    "log_mel_speech": ("voice_16000", {"type": "log_mel", **SPEECH}),
    "log_mel_reflect": ("voice_16000", {"type": "log_mel", **SPEECH, "padding": "reflect", "top_db": 60}),
    "log_mel_htk": ("voice_16000", {"type": "log_mel", **SPEECH, "mel_scale": "htk", "mel_norm": "none",
                                    "window": "hamming", "f_min_hz": 20, "f_max_hz": 7600}),
    "log_mel_unclamped": ("voice_16000", {"type": "log_mel", **SPEECH, "top_db": None, "power": 1}),
    "log_mel_natural": ("voice_16000", {"type": "log_mel", **SPEECH, "n_fft": 400, "n_mels": 40, "padding": "none",
                                        "log": "natural", "floor": 1e-8}),
    "log_mel_odd_size": ("voice_22050", {"type": "log_mel", "window_samples": 882, "hop_samples": 441, "n_fft": 882,
                                         "n_mels": 40, "window": "blackman", "window_periodic": False}),
    "log_mel_deltas": ("short_16000", {"type": "log_mel", **SPEECH, "deltas": 2}),
    "mfcc_librosa": ("voice_22050", {"type": "mfcc", **MUSIC, "n_mfcc": 40}),
    "mfcc_lifter_deltas": ("voice_16000", {"type": "mfcc", **SPEECH, "n_mfcc": 20, "lifter": 22, "deltas": 2}),
    "mfcc_htk_delta": ("voice_16000", {"type": "mfcc", **SPEECH, "n_mels": 40, "n_mfcc": 13, "mel_scale": "htk",
                                       "mel_norm": "none", "deltas": 1}),
}


def features(samples, rate_hz, s):
    y = samples.astype(np.float64) / 32768
    name = s.get("window", "hann")
    window = scipy.signal.get_window(name, s["window_samples"], fftbins=s.get("window_periodic", True))
    padding = s.get("padding", "zero")
    stft = librosa.stft(y, n_fft=s["n_fft"], hop_length=s["hop_samples"], win_length=s["window_samples"], window=window,
                        center=padding != "none", pad_mode="reflect" if padding == "reflect" else "constant",
                        dtype=np.complex128)
    norm = "slaney" if s.get("mel_norm", "slaney") == "slaney" else None
    bank = librosa.filters.mel(sr=rate_hz, n_fft=s["n_fft"], n_mels=s["n_mels"], fmin=s.get("f_min_hz", 0),
                               fmax=s.get("f_max_hz"), htk=s.get("mel_scale") == "htk", norm=norm, dtype=np.float64)
    mel = bank @ np.abs(stft) ** s.get("power", 2)
    floor = s.get("floor", 1e-10)
    if s.get("log", "db") == "natural":
        log = np.log(np.maximum(mel, floor))
    else:
        log = librosa.power_to_db(mel, ref=1.0, amin=floor, top_db=s.get("top_db", 80))
    out = log
    if s["type"] == "mfcc":
        out = librosa.feature.mfcc(S=log, n_mfcc=s["n_mfcc"], lifter=s.get("lifter", 0))
    parts = [out] + [librosa.feature.delta(out, width=9, order=k) for k in range(1, s.get("deltas", 0) + 1)]
    return np.concatenate(parts).T


def main():
    for name, (_, samples) in SIGNALS.items():
        samples.tofile(HERE / f"{name}.i16")
    cases = []
    for name, (signal, settings) in CASES.items():
        rate_hz, samples = SIGNALS[signal]
        out = features(samples, rate_hz, settings)
        assert out.dtype == np.float64
        out.astype("<f4").tofile(HERE / f"{name}.f32")
        cases.append({"name": name, "signal": signal, "sample_rate_hz": rate_hz, "frames": out.shape[0],
                      "dimension": out.shape[1], "settings": settings})
    versions = {"librosa": librosa.__version__, "numpy": np.__version__, "scipy": scipy.__version__}
    text = json.dumps({"versions": versions, "cases": cases}, indent=2)
    (HERE / "goldens.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
