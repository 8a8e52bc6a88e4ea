"""A run's directory."""

import json
from pathlib import Path

import pandas


class Run:
    """Of a directory that `serval run` made. Tables are read when they are asked for."""

    def __init__(self, folder):
        self.folder = Path(folder)
        if not (self.folder / "results.json").is_file():
            raise FileNotFoundError(f"{folder}: holds no results.json, so it is no finished run")
        self.results = self._json("results.json")
        self.experiment = self._json("experiment.json")
        self.stamps = self.results["stamps"]

    def _json(self, name):
        return json.loads((self.folder / name).read_text(encoding="utf-8"))

    def _table(self, name):
        # Ids that look like numbers, and a class called "none", stay what they are.
        texts = {column: str for column in ("recording", "id", "corpus", "actor", "label", "predicted", "model")}
        return pandas.read_csv(self.folder / name, dtype=texts, keep_default_na=False)

    @property
    def audit(self):
        return self._json("audit.json")

    def predictions(self):
        """A row a recording, model, fold and seed; p_<class> are its scores."""
        return self._table("predictions.csv")

    def manifest(self):
        return self._table("manifest.csv")

    def scores(self):
        """A row a model, fold and seed."""
        return pandas.read_csv(self.folder / "results.csv")

    def history(self, model, fold, seed):
        """A row an epoch; folds count from 1."""
        return pandas.read_csv(self.folder / "models" / model / f"fold-{fold:02d}_seed-{seed}" / "history.csv")


def read_run(folder):
    return Run(folder)
