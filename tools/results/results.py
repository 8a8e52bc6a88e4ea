#!/usr/bin/env python3
"""docs/results.md from runs. Needs Python 3 alone.

  tools/results/results.py add RUN...   keeps the results of finished runs under docs/results/<name>/, and writes the page
  tools/results/results.py write        writes the page from what is kept
  tools/results/results.py check        whether the page is what `write` would write; exit code 1 otherwise

A row of the table is a model of a run. Figures come from docs/results/<name>/results.json; what was run from the experiment
file of that name; the papers' figures from docs/results/papers.json. The page's own text is docs/results/text.md.
"""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEPT = ROOT / "docs/results"
PAGE = ROOT / "docs/results.md"
FOLDERS = ("systems", "families", "best")

HEAD = """# Results

Accuracy on real recordings. Made by `tools/results/results.py` from the runs whose results are kept in `docs/results/`; by
hand are the text below the tables (`docs/results/text.md`) and the papers' figures (`docs/results/papers.json`).

`serval run FILE` repeats a row; where models are "without", they were left out: `--set 'models={...}'` with the others. UAR is
the unweighted average recall, WA the accuracy, in %, the mean over folds and seeds; in brackets
a 95 % interval from a bootstrap over actors, in parentheses the lowest and the highest actor where they are fewer than six, too
few for an interval; "seeds" is the deviation of the seeds' means. Papers' figures are what
they print, by protocols that differ from ours where the last column says so. Time is that of all stages and trainings added up;
trainings that run side by side count each.
"""


def without_comments(text):
    """Experiment files are JSON with // comments; what stands in quotes stays."""
    return re.sub(r'("(?:\\.|[^"\\])*")|//[^\n]*', lambda m: m.group(1) or "", text)


def merged(parent, child):
    if not isinstance(parent, dict) or not isinstance(child, dict):
        return child
    out = dict(parent)
    for key, value in child.items():
        if value is None and key in out:
            del out[key]
        else:
            out[key] = merged(out.get(key), value) if key in out else value
    return out


def read_experiment(path):
    """The file over those that it extends, at its full size."""
    own = json.loads(without_comments(path.read_text()))
    own.pop("quick", None)
    parents = own.pop("extends", [])
    out = {}
    for parent in parents if isinstance(parents, list) else [parents]:
        out = merged(out, read_experiment(path.parent / parent))
    return merged(out, own)


def experiments():
    """By name: (path from the repository's folder, content)."""
    out = {}
    for path in sorted((ROOT / "experiments").rglob("*.json")):
        if path.name in ("base.json", "quick.json") or "networks" in path.parts:
            continue
        content = read_experiment(path)
        out[content["name"]] = (path.relative_to(ROOT), content)
    return out


def kept_runs():
    return {p.parent.name: json.loads(p.read_text()) for p in sorted(KEPT.glob("*/results.json"))}


def add(folder):
    run = pathlib.Path(folder)
    text = (run / "results.json").read_text()
    name = json.loads(text)["name"]
    if name not in experiments():
        sys.exit(f"{folder}: no file under experiments/ has the name \"{name}\"")
    if re.search(r'"/[^"\s]*"', text):
        sys.exit(f"{folder}: results.json names a path of this machine")
    (KEPT / name).mkdir(parents=True, exist_ok=True)
    (KEPT / name / "results.json").write_text(text)
    print(f"docs/results/{name}/results.json")


def percent(scores, measure):
    """With the interval, or of fewer than six actors, who have none in runs of this version, with the range."""
    value = scores["summary"][measure]
    actors = [100 * actor[measure] for actor in scores["groups"]["actor"].values()]
    low, high = (100 * end for end in value["ci95"]) if len(actors) >= 6 else (min(actors), max(actors))
    ends = "({:.1f} to {:.1f})" if len(actors) < 6 else "[{:.1f}, {:.1f}]"
    return f"{100 * value['mean']:.1f} " + ends.format(low, high)


def protocol_of(experiment):
    folds, leaks = experiment.get("folds", {}), experiment.get("protocol", {}).get("leaks", [])
    if "groups" in folds:
        said = "fixed actors" if len(folds["groups"]) == 1 else f"{len(folds['groups'])} groups of actors"
    elif "preset" in folds:
        said = folds["preset"]
    else:
        said = folds.get("scheme", "actors")
        if "count" in folds:
            said += f", {folds['count']} folds"
    if folds.get("inner_folds"):
        said += ", nested"
    return said + (f"; **leaks: {', '.join(leaks)}**" if leaks else "; actors apart")


def duration(seconds):
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def corpora_of(results):
    return " + ".join(
        f"{name} ({corpus['recordings']}{', synthetic' if corpus['synthetic'] else ''})"
        for name, corpus in results["corpora"].items())


def seeds_of(results):
    """Seed 0 is that of models fused with their seeds together."""
    return sorted({fold["seed"] for scores in results["models"].values() for fold in scores["folds"]} - {0})


def command(path, results, experiment):
    """What repeats a run of other seeds than the file's, or of fewer models."""
    seeds = seeds_of(results)
    said = f"`{path}`" + ("" if seeds == experiment.get("seeds", [1]) else f" `--set seeds={json.dumps(seeds, separators=(',', ':'))}`")
    missing = [f"`{model}`" for model in experiment["models"] if model not in results["models"]]
    return said + (f", without {', '.join(missing)}" if missing else "")


def spread_of(scores, results):
    seeds = {fold["seed"] for fold in scores["folds"]}
    if seeds == {0} and len(seeds_of(results)) > 1:
        return f"{len(seeds_of(results))} together"
    return f"{100 * scores['summary']['uar']['std_seeds']:.1f}" if len(seeds) > 1 else "one seed"


def rows_of(name, results, path, experiment, papers):
    seconds = sum(results["seconds"].values())
    known = papers.get(name, {})
    for number, (model, scores) in enumerate(results["models"].items()):
        if "summary" not in scores:
            continue
        first = number == 0
        yield " | ".join([
            command(path, results, experiment) if first else "",
            f"{corpora_of(results)}, {len(results['classes'])} classes" if first else "",
            protocol_of(experiment) if first else "",
            model,
            percent(scores, "uar"),
            percent(scores, "wa"),
            spread_of(scores, results),
            known.get(model, "-"),
            f"{duration(seconds)}, {results['device']['names'][0]}" if first else "",
        ])


def table(names, runs, files, papers):
    lines = ["| file | recordings | protocol | model | UAR | WA | seeds | paper | time, device |", "|---|---|---|---|---|---|---|---|---|"]
    for name in names:
        path, experiment = files[name]
        lines += [f"| {row} |" for row in rows_of(name, runs[name], path, experiment, papers)]
    return "\n".join(lines)


def page():
    runs, files = kept_runs(), experiments()
    papers = json.loads((KEPT / "papers.json").read_text())
    for name in [*runs, *papers]:
        if name not in files:
            sys.exit(f"docs/results: no file under experiments/ has the name \"{name}\"")
    out = [HEAD]
    honest = [n for n in runs if not files[n][1].get("protocol", {}).get("leaks")]
    leaking = [n for n in runs if n not in honest]
    for title, names in (("## Actors held out", honest), ("## By the papers' own protocols, or otherwise leaking", leaking)):
        if names:
            out += [title, "", table(names, runs, files, papers), ""]
    missing = [n for n, (path, _) in files.items() if path.parts[1] in FOLDERS and n not in runs]
    if missing:
        out += ["## Not run at full size yet", "",
                "Each runs in its quick size in the tests. What papers print for them is beside them.", "",
                "| file | says | paper |", "|---|---|---|"]
        for name in missing:
            path, experiment = files[name]
            said = "; ".join(f"{m}: {f}" for m, f in papers.get(name, {}).items()) or "-"
            out.append(f"| `{path}` | {experiment['description']} | {said} |")
        out.append("")
    out.append((KEPT / "text.md").read_text().rstrip() + "\n")
    return "\n".join(out)


def main():
    if len(sys.argv) < 2 or sys.argv[1] not in ("add", "write", "check"):
        sys.exit(__doc__)
    for folder in sys.argv[2:]:
        add(folder)
    text = page()
    if sys.argv[1] != "check":
        PAGE.write_text(text)
    elif PAGE.read_text() != text:
        sys.exit("docs/results.md is out of date: run tools/results/results.py write")


if __name__ == "__main__":
    main()
