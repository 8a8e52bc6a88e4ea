"""Serval's features against other programs', on the same clips, in turns, as a table in Markdown.

    compare.py [--clips FOLDER] [--every N] [--rounds N] [--rivals NAME ...] [--serval FOLDER]

Run it with the Python that setup.sh makes. Clips are decoded once, resampled to 16 kHz and rounded to 16 bits;
nothing of that is timed. Before anything is timed, each rival's numbers are compared with those that Serval
gives under that rival's conventions; where they differ by more than is allowed, the rival is not timed and the
exit code is 8. Then, in every round, each rival takes its turn and right after it Serval, under the rival's
conventions. A ratio is the rival's time over Serval's of the same round; its median and range are printed.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

import numpy as np

import clips
import rivals

HERE = pathlib.Path(__file__).resolve().parent
TASKS = {
    "log_mel": "64 log-mel bands",
    "static": "64 log-mel bands and 40 MFCC",
    "deltas": "64 log-mel bands and 40 MFCC, first and second deltas of both",
}
# What Serval is asked for under each rival's conventions, for frames, bands and MFCC; see its presets.
FRAMES = {"n_fft": 512, "window_samples": 400, "hop_samples": 160}
CONVENTIONS = {
    "librosa": ({}, {}, {}),
    "torchaudio": ({"preset": "torchaudio"}, {}, {}),
    "kaldi-native-fbank": ({"preset": "kaldi"}, {}, {"zeroth": "first", "lifter": 0}),
    "openSMILE": (
        {"window_place": "start", "padding": "none", "window_periodic": False},
        {"mel_scale": "htk", "mel_norm": "none", "mel_sides": "mel", "log": "natural"},
        {"cosine_norm": "htk"},
    ),
}
DELTAS = {"deltas": 2}
REGRESSION = {"delta_method": "regression", "delta_width": 5}
# Largest difference allowed, for log-mel bands within 60 dB of the clip's peak and for MFCC. Rivals work in single
# precision, so that quieter bands are mostly their rounding errors. Units are those of the logarithm.
ALLOWED = {"librosa": (0.01, 0.05), "torchaudio": (0.01, 0.05), "kaldi-native-fbank": (0.005, 0.05),
           "openSMILE": (0.005, 0.05)}
SIXTY_DB = {"librosa": 60.0, "torchaudio": 60.0, "kaldi-native-fbank": 6 * np.log(10), "openSMILE": 6 * np.log(10)}


def serval_settings(rival, task):
    frames, bands, cepstra = CONVENTIONS[rival]
    stack = {"type": "stack", **frames, **FRAMES}
    if task == "deltas":
        stack.update(DELTAS if rival == "librosa" else {**DELTAS, **REGRESSION})
    bands = {"n_mels": 64, **bands}
    stack["parts"] = [{"type": "log_mel", **bands}]
    if task != "log_mel":
        stack["parts"].append({"type": "mfcc", "n_mfcc": 40, **bands, **cepstra})
    return json.dumps({"features": stack})


class Process:
    """A worker that answers one line to each line."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
                                        env=rivals.environment())
        self.command = command

    def send(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{' '.join(map(str, self.command[:3]))}: ended without an answer")
        return line.split()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Contender:
    """Workers that share the clips: one process a thread for a rival, one process in all for Serval."""

    def __init__(self, commands):
        self.processes = [Process(command) for command in commands]

    def ask(self, line):
        for process in self.processes:
            process.send(line)
        return [process.answer() for process in self.processes]

    def round(self):
        """Seconds until all are done, and processor seconds of all."""
        answers = self.ask("run")
        return max(float(a[0]) for a in answers), sum(float(a[1]) for a in answers)

    def close(self):
        for process in self.processes:
            process.close()


def rival_contender(name, path, task, threads):
    return Contender([[sys.executable, HERE / "worker.py", name, path, task, str(i), str(threads)]
                      for i in range(threads)])


def serval_contender(program, rival, path, task, threads):
    return Contender([[program, path, serval_settings(rival, task), str(threads)]])


def differences(program, rival, path, task, folder):
    """Worst difference of the log-mel bands near the peak and of the MFCC, over all clips."""
    matrices = []
    for name, contender in (("rival", rival_contender(rival, path, task, 1)),
                            ("serval", serval_contender(program, rival, path, task, 1))):
        file = folder / name
        dimension = int(contender.ask(f"dump {file}")[0][1])
        matrices.append(np.fromfile(file, np.float32).reshape(-1, dimension))
        contender.close()
    theirs, ours = matrices
    if theirs.shape != ours.shape:
        raise SystemExit(f"{rival}, {task}: {theirs.shape[0]} frames of {theirs.shape[1]} values, Serval has "
                         f"{ours.shape[0]} of {ours.shape[1]}")
    apart = np.abs(theirs - ours)
    sizes = [len(clip) for clip in clips.read_clips(path)[0]]
    frames = [1 + size // 160 for size in sizes]  # centred on their samples, or inside the clip
    if sum(frames) != len(ours):
        frames = [1 + (size - 400) // 160 for size in sizes]
    bands = np.split(ours[:, :64], np.cumsum(frames)[:-1])
    near = np.concatenate([clip > clip.max() - SIXTY_DB[rival] for clip in bands])
    return apart[:, :64][near].max(), apart[:, 64:].max() if task == "static" else 0.0


def agrees(program, rival, path, folder):
    """Checks the tasks without deltas, whose edges are a matter of taste, and prints what came out."""
    bands, cepstra = differences(program, rival, path, "static", folder)
    ok = bands <= ALLOWED[rival][0] and cepstra <= ALLOWED[rival][1]
    print(f"| {rival} | {bands:.2g} | {ALLOWED[rival][0]} | {cepstra:.2g} | {ALLOWED[rival][1]} | "
          f"{'yes' if ok else '**no**'} |", flush=True)
    return ok


def spread(values, digits):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def measure(program, names, path, task, threads, rounds):
    """Seconds of each rival and of Serval in its place, round by round: {rival: [(rival, serval), ...]}"""
    pairs = {name: (rival_contender(name, path, task, threads), serval_contender(program, name, path, task, threads))
             for name in names if task in rivals.RIVALS[name].asked}
    times = {name: [] for name in pairs}
    for number in range(rounds + 1):
        for name, (rival, serval) in pairs.items():
            times[name].append((rival.round(), serval.round()))
        print(f"{task}, {threads} at a time: round {number} of {rounds}", file=sys.stderr)
    for rival, serval in pairs.values():
        rival.close()
        serval.close()
    return {name: rows[1:] for name, rows in times.items()}  # the first one warms up


def table(task, threads, times, audio_s):
    print(f"\n### {TASKS[task]}; {threads} {'thread' if threads == 1 else 'threads (rivals: processes)'}\n")
    print("| program | ms | Serval, ms | ratio | ratio of processor time | Serval, x real time |")
    print("|---|---|---|---|---|---|")
    for name, rows in times.items():
        theirs, ours = [r[0][0] for r in rows], [r[1][0] for r in rows]
        wall = [a / b for a, b in zip(theirs, ours)]
        processor = [r[0][1] / r[1][1] for r in rows]
        print(f"| {name} | {1e3 * statistics.median(theirs):.1f} | {1e3 * statistics.median(ours):.1f} | "
              f"**{statistics.median(wall):.1f}** ({min(wall):.1f} to {max(wall):.1f}) | {spread(processor, 1)} | "
              f"{audio_s / statistics.median(ours):,.0f} |", flush=True)


def scaling(program, path, rounds):
    """Serval on one thread against two, in turns of twenty runs: a run takes milliseconds, and a second processor
    that was idle for the first one's run takes some of them to wake."""
    runs = 20
    one, two = (serval_contender(program, "librosa", path, "deltas", threads) for threads in (1, 2))
    ratios = []
    for _ in range(rounds + 1):
        seconds = [statistics.median(contender.round()[0] for _ in range(runs)) for contender in (one, two)]
        ratios.append(seconds[0] / seconds[1])
    ratios = ratios[1:]
    one.close()
    two.close()
    print(f"\nServal on two threads is {spread(ratios, 2)} times as fast as on one.")


def memory(serval):
    out = subprocess.run([serval, "bench", "features", "--preset", "log_mel_mfcc", "--device", "cpu", "--threads", "1",
                          "--repeat", "1", "--quiet", "--json"], capture_output=True, text=True, check=True)
    facts = json.loads(out.stdout)["memory"]
    print(f"\nPeak memory of Serval: {facts['ratio']:.2f} times input and output together "
          f"({facts['clips']} clips at once, `serval bench features`).")


def processor_name():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def prepare_clips(arguments, folder):
    source = arguments.clips
    if source is None and os.environ.get("SERVAL_CORPORA"):
        source = pathlib.Path(os.environ["SERVAL_CORPORA"]) / "ravdess"
    if source is None:
        source = folder / "demo"
        subprocess.run([arguments.serval / "serval_demo_corpus", source], check=True, stdout=subprocess.DEVNULL)
    sounds = [np.round(clip * 32768).clip(-32768, 32767).astype(np.float32) / 32768
              for clip in clips.decode_folder(source, rivals.RATE_HZ, arguments.every)]
    path = folder / "clips"
    clips.write_clips(path, sounds, rivals.RATE_HZ)
    seconds = sum(map(len, sounds)) / rivals.RATE_HZ
    return path, seconds, f"{len(sounds)} clips of `{pathlib.Path(source).name}`, {seconds:.0f} s"


def versions(names, path):
    lines = []
    for name in names:
        contender = rival_contender(name, path, "log_mel", 1)
        lines.append(" ".join(contender.ask("versions")[0]))
        contender.close()
    return ", ".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=pathlib.Path, help="folder of recordings; default $SERVAL_CORPORA/ravdess, "
                        "or else the demo corpus")
    parser.add_argument("--every", type=int, default=6, help="take every Nth recording (default 6)")
    parser.add_argument("--rounds", type=int, default=7, help="rounds that count (default 7)")
    parser.add_argument("--rivals", nargs="+", choices=list(rivals.RIVALS), default=list(rivals.RIVALS))
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--tasks", nargs="+", choices=list(TASKS), default=list(TASKS))
    parser.add_argument("--serval", type=pathlib.Path, default=HERE.parents[2] / "build/cpu", help="build folder")
    arguments = parser.parse_args()
    program = arguments.serval / "serval_features_bench"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        path, audio_s, source = prepare_clips(arguments, folder)
        print(f"{processor_name()}, {os.cpu_count()} processors; {datetime.date.today()}; {source}; "
              f"{arguments.rounds} rounds. Python {platform.python_version()}, {versions(arguments.rivals, path)}.")
        unset = [name for name in rivals.UNSET if name in os.environ]
        if unset:
            print(f"Unset for all: {', '.join(unset)}.")
        print("\n| program | log-mel apart | allowed | MFCC apart | allowed | agrees |\n|---|---|---|---|---|---|")
        agreeing = [rival for rival in arguments.rivals if agrees(program, rival, path, folder)]
        for threads in arguments.threads:
            for task in arguments.tasks:
                table(task, threads, measure(program, agreeing, path, task, threads, arguments.rounds), audio_s)
        scaling(program, path, arguments.rounds)
        memory(arguments.serval / "serval")
    print("\nWhat each was asked for:\n")
    for rival in agreeing:
        for task, asked in rivals.RIVALS[rival].asked.items():
            print(f"* {rival}, {TASKS[task]}: {asked}")
    return 0 if len(agreeing) == len(arguments.rivals) else 8


if __name__ == "__main__":
    sys.exit(main())
