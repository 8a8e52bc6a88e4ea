"""Makes the seeds of the fuzz targets that are no text: short tones in every format that is read, and parts of seed.bundle
behind the byte that says which part they are. Needs numpy and soundfile.

  python3 tests/fuzz/make_seeds.py
"""
import io
import pathlib
import tarfile

import numpy
import soundfile

HERE = pathlib.Path(__file__).parent
RATE_HZ = 8000


def tones():
    time_s = numpy.arange(RATE_HZ // 8) / RATE_HZ
    tone = 0.4 * numpy.sin(2 * numpy.pi * 440 * time_s) * numpy.hanning(len(time_s))
    both = numpy.stack([tone, -0.5 * tone], axis=1)
    folder = HERE / "seeds" / "audio"
    for name, samples, options in [
        ("pcm16.wav", tone, {"subtype": "PCM_16"}),
        ("pcm24.wav", both, {"subtype": "PCM_24"}),
        ("pcm8.wav", tone, {"subtype": "PCM_U8"}),
        ("float.wav", tone, {"subtype": "FLOAT"}),
        ("ulaw.wav", tone, {"subtype": "ULAW"}),
        ("extensible.wav", both, {"format": "WAVEX", "subtype": "PCM_16"}),
        ("pcm16.aiff", tone, {"subtype": "PCM_16"}),
        ("tone.flac", both, {"subtype": "PCM_16"}),
        ("vorbis.ogg", tone, {"subtype": "VORBIS"}),
        ("tone.opus", tone, {"format": "OGG", "subtype": "OPUS"}),
        ("tone.mp3", tone, {"format": "MP3"}),
    ]:
        soundfile.write(folder / name, samples, RATE_HZ, **options)


def bundle_parts():
    folder = HERE / "seeds" / "bundle"
    for byte, part in enumerate(
        ["bundle.json", "weights/net-fold-1-seed-1.safetensors", "weights/svm-fold-1-seed-1.safetensors", "SHA256SUMS"]
    ):
        content = (HERE / "seed.bundle" / part).read_bytes()
        (folder / part.replace("/", "-")).write_bytes(bytes([byte]) + content)
        if byte in (1, 2):
            (HERE / "seeds" / "weights" / part.split("/")[1]).write_bytes(content)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for part in ["SHA256SUMS", "bundle.json", "weights/net-fold-1-seed-1.safetensors", "weights/svm-fold-1-seed-1.safetensors"]:
            content = (HERE / "seed.bundle" / part).read_bytes()
            entry = tarfile.TarInfo(part)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    (folder / "one_file.serval").write_bytes(bytes([4]) + archive.getvalue())


tones()
bundle_parts()
