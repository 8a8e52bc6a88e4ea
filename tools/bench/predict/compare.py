#!/usr/bin/env python3
"""Scores of one WAV file by Serval's library and by librosa with ONNX Runtime, by turns in one process, one thread each.

    compare.py LIBSERVAL_PREDICT BUNDLE WAV ROUNDS ONNX...

The ONNX files are the network form of the bundle's members, whose scores are averaged; the front end in between is written with
librosa from the bundle's own parameters. Both must give the same scores. run.sh calls this.
"""
import ctypes
import json
import pathlib
import statistics
import sys
import time

import librosa
import numpy as np
import onnxruntime


class Serval:
    def __init__(self, library, bundle):
        self.lib = ctypes.CDLL(str(library))
        self.lib.serval_predictor_class_count.restype = ctypes.c_size_t
        self.lib.serval_prediction_probabilities.restype = ctypes.POINTER(ctypes.c_float)
        self.lib.serval_last_error.restype = ctypes.c_char_p
        self.predictor = ctypes.c_void_p()
        self.check(self.lib.serval_predictor_open(str(bundle).encode(), None, ctypes.byref(self.predictor)))
        self.classes = self.lib.serval_predictor_class_count(self.predictor)

    def check(self, code):
        if code != 0:
            sys.exit(self.lib.serval_last_error().decode())

    def __call__(self, wav):
        said = ctypes.c_void_p()
        self.check(self.lib.serval_predictor_predict_file(self.predictor, str(wav).encode(), ctypes.byref(said)))
        scores = np.array(self.lib.serval_prediction_probabilities(said)[: self.classes])
        self.lib.serval_prediction_free(said)
        return scores


class Rival:
    def __init__(self, bundle, files):
        told = json.loads((pathlib.Path(bundle) / "bundle.json").read_text())
        self.audio, self.mel = told["audio"], told["features"]["mel"]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.sessions = [onnxruntime.InferenceSession(file, options, ["CPUExecutionProvider"]) for file in files]

    def __call__(self, wav):
        rate, mel = self.audio["sample_rate_hz"], self.mel
        y, _ = librosa.load(wav, sr=rate)
        y, _ = librosa.effects.trim(y, top_db=self.audio["trim_db"])
        power = librosa.feature.melspectrogram(
            y=y, sr=rate, n_fft=mel["n_fft"], hop_length=round(mel["hop_ms"] * rate / 1000),
            win_length=round(mel["window_ms"] * rate / 1000), window=mel["window"], center=True, pad_mode="constant",
            n_mels=mel["n_mels"], fmin=mel["f_min_hz"], fmax=mel["f_max_hz"])
        level = librosa.power_to_db(power, ref=1.0, amin=mel["floor"], top_db=mel["top_db"])
        slopes = [librosa.feature.delta(level, width=mel["delta_width"], order=order) for order in range(1, mel["deltas"] + 1)]
        frames = np.concatenate([level, *slopes]).T[None].astype(np.float32)
        fed = {"mel": frames, "mel_lengths": np.array([frames.shape[1]], np.int64)}
        return np.mean([session.run(None, fed)[0][0] for session in self.sessions], axis=0)


def main():
    library, bundle, wav, rounds = *map(pathlib.Path, sys.argv[1:4]), int(sys.argv[4])
    sides = {"serval": Serval(library, bundle), "librosa + onnxruntime": Rival(bundle, sys.argv[5:])}
    scores = [side(wav) for side in sides.values()]
    apart = float(np.max(np.abs(scores[0] - scores[1])))
    if apart > 1e-3:
        sys.exit(f"the two do not compute the same: {apart:.2g} apart")
    times = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            begin = time.perf_counter()
            side(wav)
            times[name].append(time.perf_counter() - begin)
    seconds = librosa.get_duration(path=wav)
    middle = {name: statistics.median(of) for name, of in times.items()}
    for name, of in middle.items():
        print(f"{name:22} {1e3 * of:7.2f} ms, fastest {1e3 * min(times[name]):.2f}; real-time factor {of / seconds:.5f}")
    ratios = [b / a for a, b in zip(*times.values())]
    print(f"{rounds} rounds, {seconds:.2f} s of sound, scores {apart:.1e} apart; ratio {statistics.median(ratios):.2f}")


main()
