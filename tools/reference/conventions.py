"""Features as the packages themselves compute them, beside the settings with which Serval must agree.

CASES maps a name to (sample rate, settings as in an experiment file, function of float64 samples in [-1, 1) that
returns [frame, dimension]). The functions call the packages; only where a package has no whole feature, its own
pieces are put together as its documentation does. Double precision wherever a package offers it.
"""
import pathlib
import tempfile

import numpy as np

HERE = pathlib.Path(__file__).parent
SPEECH = {"window_ms": 25, "hop_ms": 10, "n_fft": 512, "n_mels": 64}


# -- librosa ----------------------------------------------------------------------------------------------------

def librosa_mel(y, rate_hz, n_fft=2048, hop=512, win=None, n_mels=128, power=2.0):
    import librosa
    return librosa.feature.melspectrogram(y=y, sr=rate_hz, n_fft=n_fft, hop_length=hop, win_length=win, n_mels=n_mels,
                                          power=power, dtype=np.float64).T


def librosa_log_mel(y, rate_hz, ref=1.0, top_db=80, **mel):
    import librosa
    return librosa.power_to_db(librosa_mel(y, rate_hz, **mel).T, ref=ref, top_db=top_db).T


def librosa_mfcc(y, rate_hz, n_mfcc=20, lifter=0, **mel):
    import librosa
    return librosa.feature.mfcc(S=librosa_log_mel(y, rate_hz, **mel).T, n_mfcc=n_mfcc, lifter=lifter).T


def with_savgol(x, repeated=False):
    import librosa
    first = librosa.feature.delta(x.T, width=9, order=1)
    second = librosa.feature.delta(first, width=9, order=1) if repeated else librosa.feature.delta(x.T, width=9, order=2)
    return np.concatenate([x.T, first, second]).T


def librosa_stft(y, n_fft, hop, power):
    import librosa
    return np.abs(librosa.stft(y, n_fft=n_fft, hop_length=hop, dtype=np.complex128)).T ** power


# -- torchaudio -------------------------------------------------------------------------------------------------

def in_double(function):
    """torchaudio builds its filters in torch's default type."""
    import functools

    @functools.wraps(function)
    def wrapped(*args, **options):
        import torch
        torch.set_default_dtype(torch.float64)
        try:
            return function(*args, **options)
        finally:
            torch.set_default_dtype(torch.float32)
    return wrapped


@in_double
def torchaudio_transform(name, y, **options):
    import torch
    import torchaudio
    return getattr(torchaudio.transforms, name)(sample_rate=16000, **options)(torch.from_numpy(y)).numpy().T


def torchaudio_log_mel(y, **options):
    import torch
    import torchaudio
    mel = torch.from_numpy(torchaudio_transform("MelSpectrogram", y, **options).T.copy())
    return torchaudio.transforms.AmplitudeToDB("power", top_db=80)(mel).numpy().T


def torchaudio_deltas(x):
    import torch
    import torchaudio
    static = torch.from_numpy(np.ascontiguousarray(x.T))
    first = torchaudio.functional.compute_deltas(static)
    return np.concatenate([static.numpy(), first.numpy(), torchaudio.functional.compute_deltas(first).numpy()]).T


@in_double
def torchaudio_kaldi(function, y, **options):
    import torch
    import torchaudio
    samples = torch.from_numpy(y * 32768).unsqueeze(0)
    return getattr(torchaudio.compliance.kaldi, function)(samples, dither=0.0, **options).numpy()


# -- Kaldi ------------------------------------------------------------------------------------------------------

def kaldi(kind, y, frame=None, mel=None, **options):
    import kaldi_native_fbank as knf
    opts = knf.FbankOptions() if kind == "fbank" else knf.MfccOptions()
    opts.frame_opts.dither = 0
    opts.frame_opts.samp_freq = 16000
    for name, value in (frame or {}).items():
        setattr(opts.frame_opts, name, value)
    for name, value in (mel or {}).items():
        setattr(opts.mel_opts, name, value)
    for name, value in options.items():
        setattr(opts, name, value)
    online = knf.OnlineFbank(opts) if kind == "fbank" else knf.OnlineMfcc(opts)
    online.accept_waveform(16000, (y * 32768).astype(np.float32).tolist())
    online.input_finished()
    return np.stack([online.get_frame(i) for i in range(online.num_frames_ready)]).astype(np.float64)


# -- HTK, as openSMILE computes it ------------------------------------------------------------------------------

_smile = {}


def htk_mfcc(y, dimension):
    import opensmile
    if "htk" not in _smile:
        _smile["htk"] = opensmile.Smile(str(HERE / "htk_mfcc.conf"), feature_level="lld")
    out = _smile["htk"].process_signal(y.astype(np.float32), 16000).to_numpy().astype(np.float64)[:, :dimension]
    # HTK repeats the last delta to take the acceleration of the last two frames; openSMILE does not. Not compared.
    out[-2:, 26:] = np.nan
    return out


CASES = {
    # librosa's own defaults
    "librosa_mel": (22050, {"type": "mel", "preset": "librosa"}, lambda y: librosa_mel(y, 22050)),
    "librosa_log_mel": (22050, {"type": "log_mel", "preset": "librosa"}, lambda y: librosa_log_mel(y, 22050)),
    "librosa_log_mel_from_peak": (22050, {"type": "log_mel", "preset": "librosa", "db_reference": "peak"},
                                  lambda y: librosa_log_mel(y, 22050, ref=np.max)),
    "librosa_mfcc": (22050, {"type": "mfcc", "preset": "librosa"}, lambda y: librosa_mfcc(y, 22050)),
    "librosa_mfcc_lifter_deltas": (22050, {"type": "mfcc", "preset": "librosa", "n_mfcc": 13, "lifter": 22, "deltas": 2},
                                   lambda y: with_savgol(librosa_mfcc(y, 22050, n_mfcc=13, lifter=22))),
    "librosa_delta_of_delta": (22050, {"type": "mfcc", "preset": "librosa", "deltas": 2, "delta_method": "savgol_repeated"},
                               lambda y: with_savgol(librosa_mfcc(y, 22050), repeated=True)),
    "librosa_magnitude": (22050, {"type": "spectrum", "preset": "librosa", "power": 1},
                          lambda y: librosa_stft(y, 2048, 512, 1)),
    "librosa_power": (22050, {"type": "spectrum", "preset": "librosa"}, lambda y: librosa_stft(y, 2048, 512, 2)),
    # librosa's definitions with speech windows
    "speech_log_mel": (16000, {"type": "log_mel", **SPEECH},
                       lambda y: librosa_log_mel(y, 16000, n_fft=512, hop=160, win=400, n_mels=64)),
    "speech_mfcc_deltas": (16000, {"type": "mfcc", **SPEECH, "n_mfcc": 40, "deltas": 2},
                           lambda y: with_savgol(librosa_mfcc(y, 16000, n_mfcc=40, n_fft=512, hop=160, win=400, n_mels=64))),
    # torchaudio
    "torchaudio_mel": (16000, {"type": "mel", "preset": "torchaudio"},
                       lambda y: torchaudio_transform("MelSpectrogram", y)),
    "torchaudio_log_mel": (16000, {"type": "log_mel", "preset": "torchaudio"}, torchaudio_log_mel),
    "torchaudio_mfcc_deltas": (16000, {"type": "mfcc", "preset": "torchaudio", "deltas": 2},
                               lambda y: torchaudio_deltas(torchaudio_transform("MFCC", y))),
    "torchaudio_slaney": (16000, {"type": "log_mel", "preset": "torchaudio", "n_fft": 512, "mel_scale": "slaney",
                                  "mel_norm": "slaney", "n_mels": 64},
                          lambda y: torchaudio_log_mel(y, n_fft=512, win_length=400, hop_length=200, n_mels=64,
                                                       mel_scale="slaney", norm="slaney")),
    # Kaldi
    "kaldi_fbank": (16000, {"type": "log_mel", "preset": "kaldi"}, lambda y: kaldi("fbank", y)),
    "kaldi_fbank_energy": (16000, {"type": "log_mel", "preset": "kaldi", "n_mels": 40, "energy": "first",
                                   "window": "hamming", "f_max_hz": 7600},
                           lambda y: kaldi("fbank", y, frame={"window_type": "hamming"},
                                           mel={"num_bins": 40, "high_freq": 7600}, use_energy=True)),
    "kaldi_fbank_mirror": (16000, {"type": "log_mel", "preset": "kaldi", "n_mels": 80, "padding": "mirror"},
                           lambda y: kaldi("fbank", y, frame={"snip_edges": False}, mel={"num_bins": 80})),
    "kaldi_mfcc": (16000, {"type": "mfcc", "preset": "kaldi"}, lambda y: kaldi("mfcc", y)),
    "kaldi_mfcc_windowed_energy": (16000, {"type": "mfcc", "preset": "kaldi", "energy_windowed": True},
                                   lambda y: kaldi("mfcc", y, raw_energy=False)),
    "kaldi_mfcc_c0": (16000, {"type": "mfcc", "preset": "kaldi", "zeroth": "first", "n_mfcc": 20, "n_mels": 30},
                      lambda y: kaldi("mfcc", y, mel={"num_bins": 30}, num_ceps=20, use_energy=False)),
    "torchaudio_kaldi_fbank": (16000, {"type": "log_mel", "preset": "kaldi"}, lambda y: torchaudio_kaldi("fbank", y)),
    "torchaudio_kaldi_fbank_energy": (16000, {"type": "log_mel", "preset": "kaldi", "n_mels": 40, "energy": "first",
                                              "window": "hamming", "f_max_hz": 7600},
                                      lambda y: torchaudio_kaldi("fbank", y, window_type="hamming", num_mel_bins=40,
                                                                 high_freq=7600.0, use_energy=True)),
    "torchaudio_kaldi_mfcc": (16000, {"type": "mfcc", "preset": "kaldi", "zeroth": "first"},
                              lambda y: torchaudio_kaldi("mfcc", y)),
    # HTK
    "htk_mfcc": (16000, {"type": "mfcc", "preset": "htk"}, lambda y: htk_mfcc(y, 13)),
    "htk_mfcc_e_d_a": (16000, {"type": "mfcc", "preset": "htk", "deltas": 2}, lambda y: htk_mfcc(y, 39)),
}


def versions():
    from importlib.metadata import version
    names = ["librosa", "torchaudio", "kaldi-native-fbank", "opensmile", "numpy", "scipy"]
    return {name: version(name) for name in names}


# As tests/golden/features/make_pitch_goldens.py has them from numpy, scipy and librosa; goldens of them stand there.
def of_voice(settings):
    import sys
    sys.path.insert(0, str(HERE.parents[1] / "tests/golden/features"))
    import make_pitch_goldens as voice
    settings = {"window_samples": 400, "hop_samples": 160, **settings}
    return 16000, settings, lambda y: getattr(voice, settings["type"])(y, settings)


def voice_cases():
    modulation = {"type": "modulation", "n_fft": 512, "n_mels": 8, "modulation_window_ms": 1000, "modulation_min_hz": 1}
    return {
        "teager": of_voice({"type": "teager"}),
        "teager_log": of_voice({"type": "teager", "teager": "log_mean_abs"}),
        "modulation": of_voice(modulation),
        "modulation_linear": of_voice({**modulation, "log": "none"}),
        "pcen": of_voice({"type": "pcen", "n_fft": 512, "n_mels": 64}),
        "pcen_root_free": of_voice({"type": "pcen", "n_fft": 512, "n_mels": 64, "pcen_power": 0, "power": 2}),
    }


def serval(program, settings, rate_hz, clips):
    """What Serval makes of the same samples: a list of [frame, dimension]."""
    import json
    import subprocess
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "settings.json").write_text(json.dumps(settings))
        np.concatenate(clips).astype("<f4").tofile(folder / "clips.f32")
        np.array([len(clip) for clip in clips], dtype="<i8").tofile(folder / "lengths.i64")
        answer = json.loads(subprocess.run(
            [program, folder / "settings.json", str(rate_hz), folder / "clips.f32", folder / "lengths.i64", folder / "out.f32"],
            check=True, capture_output=True, text=True).stdout)
        rows = np.fromfile(folder / "out.f32", dtype="<f4").reshape(-1, answer["dimension"]).astype(np.float64)
        ends = np.cumsum(answer["rows"])[:-1]
        return np.split(rows, ends)
