"""Which systems of experiments/systems have a form in ONNX: docs/onnx_systems.md.

    tools/onnx/systems.py SERVAL CORPUS CLIPS FOLDER [NAME...]

Trains each in its quick size on the demo corpus CORPUS (tools/demo makes it), exports each of its models, all folds and seeds
together, in both forms, with the check in ONNX Runtime (SERVAL_ONNX_PYTHON) over the recordings of the folder CLIPS, and writes the
table. What is in FOLDER already is not made again. NAMEs, such as ds_lstm/honest, are made alone, and no table is written.
"""
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SYSTEMS = ROOT / "experiments" / "systems"
HEAD = """# Systems as ONNX

Made by `tools/onnx/systems.py`: each file of `experiments/systems`, trained in its quick size on the demo corpus, the networks of all
folds and seeds together, in both forms of [onnx.md](onnx.md). A number is the largest difference of a probability between ONNX
Runtime {onnxruntime} and Serval over {recordings} real recordings of {shortest_s:.1f} to {longest_s:.1f} s, each alone and 32 together;
`onnx.checker` of onnx {onnx} passed every file. The network form is a file a member and the number the largest of them; a fusion is
nothing but its members there. Where there is no number, the message says why.

| system | model | waveform | network |
|---|---|---|---|
"""


def command(words, log, **more):
    """The exit code and what was said on standard error."""
    done = subprocess.run(words, capture_output=True, text=True, **more)
    log.write_text(done.stderr, encoding="utf-8")
    return done.returncode, done.stderr.strip()


def reason(said):
    """A message's lines but the heading, without the system's name."""
    lines = [line for line in said.splitlines() if line and not line.endswith(":")]
    return "; ".join(line.removeprefix("serval: ") for line in lines[:6])


def bundle_of(serval, folder, run, name, model, seeds_together):
    """The bundle, and what was said where there is none."""
    bundle = folder / "bundles" / f"{name}.{model}"
    if bundle.exists():
        return bundle, ""
    bundle.parent.mkdir(exist_ok=True)
    words = [serval, "export", run, "--model", model, "--ensemble", "folds" if seeds_together else "folds,seeds"]
    code, said = command([*words, "--out", bundle, "--quiet"], folder / "export.log")
    return bundle, "" if code == 0 else f"no bundle: {reason(said).replace(str(folder) + '/', '')}"


def reports_of(serval, folder, bundle, form, clips):
    """The parity reports of every file of this form, and what was said where there are none."""
    out = folder / "onnx" / f"{bundle.name}.{form}.onnx"
    done = out.with_suffix(".done")
    out.parent.mkdir(exist_ok=True)
    if not done.exists():
        words = [serval, "onnx", bundle, "--form", form, "--out", out, "--parity-with", clips, "--quiet"]
        code, said = command(words, folder / "onnx.log")
        if code not in (0, 4, 8):
            sys.exit(f"{bundle.name}, {form}: {said}")
        done.write_text("" if code == 0 else reason(said), encoding="utf-8")
    stem = out.name.removesuffix(".onnx")
    for file in out.parent.glob(f"{stem}*.onnx"):
        file.unlink()
    return [json.loads(file.read_text()) for file in out.parent.glob(f"{stem}*.parity.json")], done.read_text()


def cell_of(reports, said):
    if said:
        return said.replace("|", chr(92) + "|")
    if not all(report["passed"] and report["onnx"] for report in reports):
        return "not checked"
    return f"{max(report['worst'] for report in reports):.1e}"


def main():
    serval, corpus, clips, folder = (pathlib.Path(word).resolve() for word in sys.argv[1:5])
    names = sys.argv[5:]
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.update({"SERVAL_DEMO": str(corpus), "SERVAL_CORPORA": str(corpus), "FEATURES": str(corpus)})
    rows, heard = [], {}
    for file in sorted(SYSTEMS.glob("*/*.json")):
        system = f"{file.parent.name}/{file.stem}"
        if file.stem == "base" or (names and system not in names):
            continue
        name = system.replace("/", "-")
        run = folder / "runs" / name
        if not (run / "results.json").exists():
            words = [serval, "run", file, "--quick", "--device", "cpu", "--out", run, "--quiet",
                     "--set", f'store="{folder}/stores"']
            code, said = command(words, folder / "run.log", cwd=folder)
            if code != 0:
                sys.exit(f"{system}: {said}")
        experiment = json.loads((run / "experiment.json").read_text())
        fusion = experiment.get("fusion")
        together = bool(fusion) and fusion.get("seeds") == "together"
        for model in list(experiment["models"]) + (["fusion"] if fusion else []):
            bundle, said = bundle_of(serval, folder, run, name, model, model == "fusion" and together)
            cells = [said, said]
            if not said:
                waveform = reports_of(serval, folder, bundle, "waveform", clips)
                network = ([], "its members") if model == "fusion" else reports_of(serval, folder, bundle, "network", clips)
                cells = [cell_of(*waveform), cell_of(*network)]
                for report in waveform[0]:
                    rate = json.loads((bundle / "bundle.json").read_text())["audio"]["sample_rate_hz"]
                    heard = {"onnxruntime": report["onnxruntime"], "onnx": report["onnx"], "recordings": report["items"],
                             "shortest_s": report["shortest"] / rate, "longest_s": report["longest"] / rate}
            print(system, model, *cells, sep=" | ", flush=True)
            rows.append(f"| {system} | {model} | {' | '.join(cells)} |\n")
    if not names:
        (ROOT / "docs" / "onnx_systems.md").write_text(HEAD.format(**heard) + "".join(rows), encoding="utf-8")


main()
