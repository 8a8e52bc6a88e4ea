#!/usr/bin/env python3
"""Makes the golden descriptors of tests/features/descriptor_golden_test.cc with librosa and scipy in double precision.

Run it in an environment with librosa, numpy and scipy; it writes beside itself:
  chord_22050.i16   a chord that is out of tune, 16-bit little-endian samples, full scale 32768
  descriptors.f32   the expected features of all cases one after the other, 32-bit little-endian floats,
                    [frame, dimension]
  descriptors.json  the cases: settings as an experiment file would have them, sizes, and the versions used
"""
import json
import pathlib

import librosa
import numpy as np
import scipy
import scipy.stats

from make_goldens import SIGNALS

HERE = pathlib.Path(__file__).parent


def chord(rate_hz, seconds, detune):
    """C major with overtones, `detune` semitones too high, over soft noise."""
    t = np.arange(int(rate_hz * seconds)) / rate_hz
    x = 0.001 * np.random.default_rng(7).standard_normal(t.size)
    for note in (-9, -5, -2, 3):
        hz = 440 * 2 ** ((note + detune) / 12)
        x += sum(np.sin(2 * np.pi * hz * k * t + k) / k**1.5 for k in range(1, 6))
    return np.round(x / np.abs(x).max() * 20000).astype("<i2")


SIGNALS["chord_22050"] = (22050, chord(22050, 0.7, 0.23))

LIBROSA = {"preset": "librosa"}
SHORT = {"window_samples": 400, "hop_samples": 160, "n_fft": 512}
ODD = {"window_samples": 551, "hop_samples": 220, "n_fft": 1024}
CASES = {
    "zcr": ("voice_22050", {"type": "zcr", **LIBROSA}),
    "zcr_inside": ("voice_16000", {"type": "zcr", "window_samples": 512, "hop_samples": 160, "n_fft": 512,
                                   "padding": "none", "zero_threshold": 0.01}),
    "zcr_odd": ("voice_22050", {"type": "zcr", **ODD}),
    "rms": ("voice_22050", {"type": "rms", **LIBROSA}),
    "rms_odd": ("voice_22050", {"type": "rms", **ODD, "padding": "reflect"}),
    "centroid": ("voice_22050", {"type": "centroid", **LIBROSA}),
    "centroid_power": ("voice_16000", {"type": "centroid", **SHORT, "power": 2}),
    "bandwidth": ("voice_22050", {"type": "bandwidth", **LIBROSA}),
    "bandwidth_cubic": ("voice_16000", {"type": "bandwidth", **SHORT, "bandwidth_power": 3,
                                        "bandwidth_normalised": False}),
    "rolloff": ("voice_22050", {"type": "rolloff", **LIBROSA}),
    "rolloff_low": ("voice_16000", {"type": "rolloff", **SHORT, "power": 2, "roll_percent": 0.3}),
    "flatness": ("voice_22050", {"type": "flatness", **LIBROSA}),
    "flatness_magnitude": ("voice_16000", {"type": "flatness", **SHORT, "flatness_power": 1, "flatness_floor": 1e-3}),
    "contrast": ("voice_22050", {"type": "contrast", **LIBROSA}),
    "contrast_linear": ("voice_22050", {"type": "contrast", **LIBROSA, "contrast_linear": True, "power": 2}),
    "contrast_wide": ("voice_16000", {"type": "contrast", **SHORT, "contrast_bands": 4, "contrast_f_min_hz": 300,
                                      "contrast_quantile": 0.4}),
    "chroma": ("voice_22050", {"type": "chroma", **LIBROSA}),
    "chroma_magnitude": ("voice_22050", {"type": "chroma", **LIBROSA, "power": 1, "chroma_norm": "l2"}),
    "chroma_out_of_tune": ("chord_22050", {"type": "chroma", **LIBROSA}),
    "chroma_given": ("chord_22050", {"type": "chroma", **LIBROSA, "tuning": -0.17, "chroma_norm": "l1"}),
    "chroma_24": ("chord_22050", {"type": "chroma", **LIBROSA, "n_chroma": 24, "chroma_norm": "none",
                                  "chroma_octave_width": None}),
    "chroma_13": ("voice_16000", {"type": "chroma", **SHORT, "n_chroma": 13, "chroma_octave": 4,
                                  "chroma_octave_width": 1.5}),
}


def spectrum(y, s):
    n_fft, hop, window = sizes(s)
    return np.abs(librosa.stft(y, n_fft=n_fft, hop_length=hop, win_length=window, pad_mode="constant",
                               dtype=np.complex128))


def sizes(s):
    if s.get("preset") == "librosa":
        return 2048, 512, 2048
    return s["n_fft"], s["hop_samples"], s["window_samples"]


def features(samples, rate_hz, s):
    """[dimension, frame]"""
    y = samples.astype(np.float64) / 32768
    n_fft, hop, window = sizes(s)
    kind = s["type"]
    if kind == "zcr":
        return librosa.feature.zero_crossing_rate(y, frame_length=window, hop_length=hop, threshold=s.get("zero_threshold", 1e-10),
                                                  center=s.get("padding") != "none")
    if kind == "rms":
        mode = "reflect" if s.get("padding") == "reflect" else "constant"
        return librosa.feature.rms(y=y, frame_length=window, hop_length=hop, pad_mode=mode, dtype=np.float64)
    S = spectrum(y, s) ** s.get("power", 2 if kind == "chroma" else 1)
    if kind == "centroid":
        return librosa.feature.spectral_centroid(S=S, sr=rate_hz, n_fft=n_fft)
    if kind == "bandwidth":
        return librosa.feature.spectral_bandwidth(S=S, sr=rate_hz, n_fft=n_fft, p=s.get("bandwidth_power", 2),
                                                  norm=s.get("bandwidth_normalised", True))
    if kind == "rolloff":
        return librosa.feature.spectral_rolloff(S=S, sr=rate_hz, n_fft=n_fft, roll_percent=s.get("roll_percent", 0.85))
    if kind == "flatness":
        return librosa.feature.spectral_flatness(S=S, n_fft=n_fft, amin=s.get("flatness_floor", 1e-10),
                                                 power=s.get("flatness_power", 2))
    if kind == "contrast":
        return librosa.feature.spectral_contrast(S=S, sr=rate_hz, n_fft=n_fft, n_bands=s.get("contrast_bands", 6),
                                                 fmin=s.get("contrast_f_min_hz", 200.0),
                                                 quantile=s.get("contrast_quantile", 0.02),
                                                 linear=s.get("contrast_linear", False))
    assert kind == "chroma"
    norm = {"inf": np.inf, "l1": 1, "l2": 2, "none": None}[s.get("chroma_norm", "inf")]
    return librosa.feature.chroma_stft(S=S, sr=rate_hz, n_fft=n_fft, norm=norm, tuning=s.get("tuning"),
                                       n_chroma=s.get("n_chroma", 12), ctroct=s.get("chroma_octave", 5),
                                       octwidth=s.get("chroma_octave_width", 2))


def acoustic_vector(samples, rate_hz):
    """162 means over time, in the order of the published feature extraction of SER-FusionNet."""
    y = samples.astype(np.float64) / 32768
    S = spectrum(y, LIBROSA)
    mel = librosa.feature.melspectrogram(S=S**2, sr=rate_hz)
    parts = [librosa.feature.zero_crossing_rate(y), librosa.feature.chroma_stft(S=S, sr=rate_hz),
             librosa.feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=20), librosa.feature.rms(y=y, dtype=np.float64),
             mel]
    return np.concatenate([part.mean(axis=1) for part in parts])


def statistical_vector(samples, rate_hz):
    y = samples.astype(np.float64) / 32768
    S = spectrum(y, LIBROSA)
    mfcc = librosa.feature.mfcc(S=librosa.power_to_db(librosa.feature.melspectrogram(S=S**2, sr=rate_hz)), n_mfcc=13)
    return np.array([y.mean(), y.var(), scipy.stats.skew(y), scipy.stats.kurtosis(y),
                     librosa.feature.rms(y=y, dtype=np.float64).mean(),
                     librosa.feature.spectral_centroid(S=S, sr=rate_hz).mean(),
                     librosa.feature.spectral_bandwidth(S=S, sr=rate_hz).mean(), mfcc.mean()])


def main():
    SIGNALS["chord_22050"][1].tofile(HERE / "chord_22050.i16")
    cases = []
    values = []

    def add(name, signal, out, **more):
        assert out.dtype == np.float64 and np.isfinite(out).all(), name
        values.append(out.astype("<f4").ravel())
        cases.append({"name": name, "signal": signal, "sample_rate_hz": SIGNALS[signal][0], "frames": out.shape[0],
                      "dimension": out.shape[1], **more})

    for name, (signal, settings) in CASES.items():
        rate_hz, samples = SIGNALS[signal]
        add(name, signal, features(samples, rate_hz, settings).astype(np.float64).T, settings=settings)
    for name, make in (("acoustic", acoustic_vector), ("statistical", statistical_vector)):
        rate_hz, samples = SIGNALS["voice_22050"]
        add(name, "voice_22050", make(samples, rate_hz)[None, :])
    np.concatenate(values).tofile(HERE / "descriptors.f32")
    versions = {"librosa": librosa.__version__, "numpy": np.__version__, "scipy": scipy.__version__}
    (HERE / "descriptors.json").write_text(json.dumps({"versions": versions, "cases": cases}, indent=2) + "\n")


if __name__ == "__main__":
    main()
