#!/usr/bin/env python3
"""Scores as scikit-learn has them, for tests/evaluate/metric_golden_test.cc. Needs scikit-learn.

Undefined figures are null. scikit-learn has no calibration error: that is written out here with numpy. Of equal
probabilities Serval takes the lower class first, scikit-learn's top-k the higher: it is asked with the classes in reverse.
"""
import json
import pathlib
import warnings

import numpy as np
import sklearn
from sklearn import metrics

warnings.simplefilter("ignore")
random = np.random.default_rng(20)
BINS = 15


def number(x):
    return None if np.isnan(x) else float(x)


def calibration(labels, p):
    predicted, confidence = p.argmax(1), p.max(1)
    bins = np.clip(np.ceil(confidence * BINS) - 1, 0, BINS - 1).astype(int)
    error, rows = 0.0, []
    for b in range(BINS):
        here = bins == b
        if not here.any():
            rows.append([0, None, None])
            continue
        mean, right = confidence[here].mean(), (predicted == labels)[here].mean()
        rows.append([int(here.sum()), float(mean), float(right)])
        error += here.mean() * abs(right - mean)
    return error, rows


def top2(labels, p, classes):
    if classes == 2:
        return 1.0
    return metrics.top_k_accuracy_score(classes - 1 - labels, p[:, ::-1], k=2, labels=np.arange(classes))


def case(name, labels, p):
    labels, p = np.asarray(labels), np.asarray(p, np.float32)
    classes = p.shape[1]
    every = np.arange(classes)
    predicted = p.argmax(1)
    wide = p.astype(np.float64)  # what a reader of predictions.csv has
    per_class = dict(labels=every, average=None, zero_division=np.nan)
    error, bins = calibration(labels, wide)
    confusion = metrics.confusion_matrix(labels, predicted, labels=every)
    shares = confusion / np.where(confusion.sum(1) == 0, np.nan, confusion.sum(1))[:, None]
    return {
        "name": name, "labels": labels.tolist(), "probabilities": [[float(x) for x in row] for row in p],
        "confusion": confusion.tolist(), "shares": [[number(x) for x in row] for row in shares],
        "uar": metrics.balanced_accuracy_score(labels, predicted),
        "wa": metrics.accuracy_score(labels, predicted),
        "macro_f1": metrics.f1_score(labels, predicted, average="macro", zero_division=0),
        "weighted_f1": metrics.f1_score(labels, predicted, average="weighted", zero_division=0),
        "recall": [number(x) for x in metrics.recall_score(labels, predicted, **per_class)],
        "precision": [number(x) for x in metrics.precision_score(labels, predicted, **per_class)],
        "f1": [number(x) for x in metrics.f1_score(labels, predicted, **per_class)],
        "log_loss": metrics.log_loss(labels, wide, labels=every),
        "top2": top2(labels, wide, classes), "calibration_error": error, "bins": bins,
    }


def drawn(count, classes, sharpness, absent=()):
    present = [c for c in range(classes) if c not in absent]
    labels = random.choice(present, count)
    logits = random.normal(0, 1, (count, classes)) * sharpness
    logits[np.arange(count), labels] += sharpness
    p = np.exp(logits - logits.max(1, keepdims=True)).astype(np.float32)
    p /= p.sum(1, keepdims=True)
    return labels, p


def certain(labels, predicted, classes):
    return labels, np.eye(classes, dtype=np.float32)[np.asarray(predicted)]


cases = [case(f"drawn {n} of {c}, sharpness {s}", *drawn(n, c, s))
         for n, c, s in [(40, 2, 1), (200, 3, 0.3), (300, 8, 2), (97, 7, 8), (60, 4, 0.01)]]
cases += [
    case("one class only", np.full(20, 2), drawn(20, 4, 1)[1]),
    case("a class absent and never predicted", *certain([0, 1, 1, 3, 3, 0], [0, 1, 3, 3, 1, 0], 5)),
    case("a class never predicted", *certain([0, 1, 2, 2, 1, 0], [0, 1, 0, 1, 1, 0], 3)),
    case("a class predicted and absent", *certain([0, 0, 1, 1], [0, 2, 1, 2], 3)),
    case("classes absent among drawn ones", *drawn(80, 8, 1.5, absent=(1, 6))),
    case("all right and sure", *certain([0, 1, 2, 3], [0, 1, 2, 3], 4)),
    case("all wrong and sure", *certain([0, 1, 2, 3], [1, 2, 3, 0], 4)),
    case("one recording, right", [1], [[0.2, 0.5, 0.3]]),
    case("one recording, wrong", [2], [[0.2, 0.5, 0.3]]),
    case("one recording, sure and wrong", [0], [[0, 0, 1]]),
    case("ties of two", [0, 1, 2, 0, 1, 2], [[0.5, 0.5, 0]] * 3 + [[0, 0.5, 0.5]] * 3),
    case("ties of all", [0, 1, 2, 3] * 2, [[0.25] * 4] * 8),
    case("ties behind the first", [0, 1, 2, 3], [[0.4, 0.2, 0.2, 0.2]] * 4),
    case("on the edges of bins", [0, 1, 0, 1, 2], [[k / 15, 1 - k / 15, 0] for k in (3, 6, 9, 12, 15)]),
    case("tiny probabilities", [0, 1], [[1e-20, 1], [1, 1e-38]]),
]
out = {"scikit_learn": sklearn.__version__, "cases": cases}
pathlib.Path(__file__).with_name("metrics.json").write_text(json.dumps(out) + "\n")
