#!/usr/bin/env python3
"""Which systems of experiments/systems have a form in ONNX: docs/onnx_systems.md.

    tools/onnx/systems.py SERVAL CORPUS FOLDER [NAME...]

Trains each in its quick size on the demo corpus CORPUS (tools/demo makes it), exports each of its models, all folds and seeds
together, as a waveform model with the check in ONNX Runtime (SERVAL_ONNX_PYTHON), and writes the table. What is in FOLDER already
is not made again. NAMEs, such as ds_lstm/honest, are made alone, and no table is written.
"""
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SYSTEMS = ROOT / "experiments" / "systems"
HEAD = """# Systems as ONNX

Made by `tools/onnx/systems.py`: each file of `experiments/systems` in its quick size on the demo corpus, the networks of all folds and
seeds together, in the waveform form of [onnx.md](onnx.md). A number is the largest difference of a probability between ONNX Runtime
and Serval, over seven made up sounds of 0.9 to 7.7 s, each alone and 32 together. Where there is none, the message says why: features
alone stand in the way of networks, whose other form then remains.

| system | model | difference, or why there is none |
|---|---|---|
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


def of_model(serval, folder, run, name, model, seeds_together):
    bundle = folder / "bundles" / f"{name}.{model}"
    out = folder / "onnx" / f"{name}.{model}.waveform.onnx"
    report = out.with_suffix(".parity.json")
    out.parent.mkdir(exist_ok=True)
    if not bundle.exists():
        bundle.parent.mkdir(exist_ok=True)
        words = [serval, "export", run, "--model", model, "--ensemble", "folds" if seeds_together else "folds,seeds"]
        code, said = command([*words, "--out", bundle, "--quiet"], folder / "export.log")
        if code != 0:
            return f"no bundle: {reason(said).replace(str(folder) + '/', '')}"
    if not report.exists():
        code, said = command([serval, "onnx", bundle, "--out", out, "--quiet"], folder / "onnx.log")
        if code != 0:
            return reason(said)
    out.unlink(missing_ok=True)
    return f"{json.loads(report.read_text())['worst']:.1e}"


def main():
    serval, corpus, folder = (pathlib.Path(word).resolve() for word in sys.argv[1:4])
    folder.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "SERVAL_DEMO": str(corpus), "SERVAL_CORPORA": str(corpus), "FEATURES": str(corpus)}
    os.environ.update(environment)
    rows = []
    for file in sorted(SYSTEMS.glob("*/*.json")):
        system = f"{file.parent.name}/{file.stem}"
        if file.stem == "base" or (sys.argv[4:] and system not in sys.argv[4:]):
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
            cell = of_model(serval, folder, run, name, model, model == "fusion" and together)
            print(system, model, cell, flush=True)
            rows.append(f"| {system} | {model} | {cell.replace('|', chr(92) + '|')} |\n")
    if not sys.argv[4:]:
        (ROOT / "docs" / "onnx_systems.md").write_text(HEAD + "".join(rows), encoding="utf-8")


main()
