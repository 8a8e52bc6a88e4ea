"""The programs that Serval is compared with, each asked for the same things in its own words.

A rival has `name`, `versions()`, `asked` (task -> what it computes, for people) and `compute(task, clip)`, which
returns the task's matrices [frame, column]. Some also have `prepare(clip)`, which is not timed, and `read(made)`,
which makes matrices of what `compute` left elsewhere. Tasks:
    log_mel     64 log-mel bands
    static      64 log-mel bands and 40 MFCC of the same mel spectrogram
    deltas      the same, with first and second deltas of both
All at 16 kHz: windows of 25 ms every 10 ms, a transform of 512, mel filters from 0 Hz (Kaldi's: 20 Hz) to 8 kHz.
"""
import os
import tempfile

import numpy as np

RATE_HZ, WINDOW, HOP, N_FFT, MELS, MFCC = 16000, 400, 160, 512, 64, 40


class Librosa:
    """melspectrogram once; mfcc takes the logarithm that is there already."""

    name = "librosa"
    asked = {
        "log_mel": "feature.melspectrogram, power_to_db (top_db 80)",
        "static": "the same, and feature.mfcc(S=) of it",
        "deltas": "the same, and feature.delta of orders 1 and 2 on both",
    }

    def __init__(self):
        import librosa

        self.librosa = librosa

    def versions(self):
        import numba, scipy

        return f"librosa {self.librosa.__version__}, numpy {np.__version__}, scipy {scipy.__version__}, numba {numba.__version__}"

    def compute(self, task, clip):
        feature = self.librosa.feature
        mel = feature.melspectrogram(
            y=clip, sr=RATE_HZ, n_fft=N_FFT, win_length=WINDOW, hop_length=HOP, n_mels=MELS)
        out = [self.librosa.power_to_db(mel)]
        if task != "log_mel":
            out.append(feature.mfcc(S=out[0], n_mfcc=MFCC))
        if task == "deltas":
            out = [np.concatenate([x, feature.delta(x, order=1), feature.delta(x, order=2)]) for x in out]
        return [x.T for x in out]


class Torchaudio:
    """One MelSpectrogram for both; MFCC is the product with torchaudio's own cosine matrix."""

    name = "torchaudio"
    asked = {
        "log_mel": "transforms.MelSpectrogram, AmplitudeToDB (top_db 80), inference mode",
        "static": "the same, and a product with functional.create_dct",
        "deltas": "the same, and functional.compute_deltas (5 frames) once and twice on both",
    }

    def __init__(self):
        import torch
        import torchaudio

        torch.set_num_threads(1)
        self.torch, self.torchaudio = torch, torchaudio
        self.mel = torchaudio.transforms.MelSpectrogram(
            RATE_HZ, n_fft=N_FFT, win_length=WINDOW, hop_length=HOP, n_mels=MELS)
        self.db = torchaudio.transforms.AmplitudeToDB("power", top_db=80)
        self.dct = torchaudio.functional.create_dct(MFCC, MELS, norm="ortho").T.contiguous()

    def versions(self):
        return f"torch {self.torch.__version__}, torchaudio {self.torchaudio.__version__}"

    def prepare(self, clip):
        return self.torch.from_numpy(clip)

    def compute(self, task, clip):
        delta = self.torchaudio.functional.compute_deltas
        with self.torch.inference_mode():
            out = [self.db(self.mel(clip))]
            if task != "log_mel":
                out.append(self.torch.matmul(self.dct, out[0]))
            if task == "deltas":
                for i, x in enumerate(out):
                    slope = delta(x)
                    out[i] = self.torch.cat([x, slope, delta(slope)])
            return [x.T for x in out]


class KaldiNativeFbank:
    """Filter banks and MFCC are two computations: they share nothing. Reading frames one by one in Python takes
    longer than making them, so what is timed leaves them in the library's memory."""

    name = "kaldi-native-fbank"
    asked = {
        "log_mel": "OnlineFbank; frames stay in its memory",
        "static": "OnlineFbank and OnlineMfcc, which share nothing; frames stay in their memory",
    }

    def __init__(self):
        import kaldi_native_fbank

        self.knf = kaldi_native_fbank
        self.fbank = self.options(self.knf.FbankOptions())
        self.mfcc = self.options(self.knf.MfccOptions())
        self.mfcc.num_ceps = MFCC
        self.mfcc.use_energy = False
        self.mfcc.cepstral_lifter = 0

    def options(self, options):
        options.frame_opts.dither = 0
        options.mel_opts.num_bins = MELS
        return options

    def versions(self):
        return f"kaldi-native-fbank {self.knf.__version__}"

    def prepare(self, clip):
        return clip * np.float32(32768)

    def compute(self, task, clip):
        makers = [self.knf.OnlineFbank(self.fbank)]
        if task != "log_mel":
            makers.append(self.knf.OnlineMfcc(self.mfcc))
        for maker in makers:
            maker.accept_waveform(RATE_HZ, clip)
            maker.input_finished()
        return makers

    def read(self, makers):
        return [np.stack([maker.get_frame(i) for i in range(maker.num_frames_ready)]) for maker in makers]


class OpenSmile:
    """One configuration, parsed once; the engine is reset between clips. What is timed ends in cNullSink, because a
    callback into Python for every frame takes longer than computing it."""

    name = "openSMILE"
    asked = {
        "log_mel": "cFramer, cWindower, cTransformFFT, cFFTmagphase, cMelspec, cVectorOperation (log); into cNullSink",
        "static": "the same, and cMfcc on the bands of cMelspec",
        "deltas": "the same, and cDeltaRegression (5 frames) once and twice on both",
    }
    base = """
[componentInstances:cComponentManager]
instance[dataMemory].type = cDataMemory
instance[source].type = cExternalAudioSource
nThreads = 1
printLevelStats = 0
[source:cExternalAudioSource]
writer.dmLevel = wave
writer.levelconf.growDyn = 1
writer.levelconf.isRb = 0
sampleRate = 16000
nBits = 16
channels = 1
"""

    def __init__(self):
        import opensmile
        from opensmile.core.lib import OpenSMILE

        self.version, self.engine = opensmile.__version__, OpenSMILE
        self.engines = {}

    def versions(self):
        return f"opensmile {self.version}"

    def prepare(self, clip):
        return np.round(clip * 32768).astype(np.int16).tobytes()

    def configuration(self, task, sink):
        parts = [
            ("framer", "cFramer", "wave", "frames",
             "frameSize = 0.025\nframeStep = 0.010\nframeMode = fixed\nframeCenterSpecial = left\nnoPostEOIprocessing = 1"),
            ("windower", "cWindower", "frames", "windowed", "winFunc = han\ngain = 1.0"),
            ("fft", "cTransformFFT", "windowed", "spectrum", "zeroPadSymmetric = 0"),
            ("magnitude", "cFFTmagphase", "spectrum", "magnitude", ""),
            ("bands", "cMelspec", "magnitude", "mel",
             f"nBands = {MELS}\nusePower = 1\nlofreq = 0\nhifreq = 8000\nspecScale = mel\nhtkcompatible = 0"),
            ("logarithm", "cVectorOperation", "mel", "logmel", "operation = log\nlogfloor = 1e-10"),
        ]
        levels = ["logmel"]
        if task != "log_mel":
            parts.append(("cepstra", "cMfcc", "mel", "mfcc",
                          f"firstMfcc = 0\nlastMfcc = {MFCC - 1}\ncepLifter = 0\nhtkcompatible = 0\nmelfloor = 1e-10"))
            levels.append("mfcc")
        if task == "deltas":
            for order, name in ((1, "slope"), (2, "curvature")):
                for level in ("logmel", "mfcc"):
                    source = level if order == 1 else level + "_slope"
                    parts.append((f"{name}_{level}", "cDeltaRegression", source, f"{level}_{name}",
                                  "deltawin = 2\nblocksize = 1"))
            levels = [f"{level}{suffix}" for level in levels for suffix in ("", "_slope", "_curvature")]
        parts.append(("sink", sink, ";".join(levels), None, ""))
        text = self.base
        for name, kind, reads, writes, rest in parts:
            text += f"[componentInstances:cComponentManager]\ninstance[{name}].type = {kind}\n"
            text += f"[{name}:{kind}]\nreader.dmLevel = {reads}\n"
            text += (f"writer.dmLevel = {writes}\n" if writes else "") + rest + "\n"
        return text

    def make(self, task, sink):
        if (task, sink) not in self.engines:
            with tempfile.NamedTemporaryFile("w", suffix=".conf", delete=False) as file:
                file.write(self.configuration(task, sink))
            engine = self.engine()
            engine.initialize(config_file=file.name, options={}, loglevel=1)
            os.unlink(file.name)
            self.engines[task, sink] = engine
        return self.engines[task, sink]

    def feed(self, engine, clip):
        engine.external_audio_source_write_data("source", clip)
        engine.external_audio_source_set_eoi("source")
        engine.run()
        engine.reset()

    def compute(self, task, clip):
        self.feed(self.make(task, "cNullSink"), clip)
        return task, clip

    def read(self, made):
        task, clip = made
        engine, rows = self.make(task, "cExternalSink"), []
        engine.external_sink_set_callback("sink", lambda row: rows.append(row.copy()))
        self.feed(engine, clip)
        matrix = np.array(rows)
        orders = 3 if task == "deltas" else 1
        return [matrix[:, : MELS * orders], matrix[:, MELS * orders :]][: 1 if task == "log_mel" else 2]


RIVALS = {rival.name: rival for rival in (Librosa, Torchaudio, KaldiNativeFbank, OpenSmile)}
# Chosen on some machines for another program's sake, and slow for numpy.
UNSET = ["OPENBLAS_CORETYPE"]
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS",
                                     "NUMBA_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")}


def environment():
    kept = {name: value for name, value in os.environ.items() if name not in UNSET}
    return {**kept, **ONE_THREAD}
