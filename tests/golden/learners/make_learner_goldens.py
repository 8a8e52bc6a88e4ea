#!/usr/bin/env python3
"""Scores of scikit-learn's models on drawn points, for tests/learners/learner_test.cc. Needs scikit-learn and scipy."""
import json
import pathlib

import numpy as np
import sklearn
from scipy.special import expit, softmax
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC, LinearSVC

random = np.random.default_rng(7)
CLASSES, COLUMNS, TRAIN, TEST = 4, 6, 90, 25


def draw(count):
    labels = np.arange(count) * 7 % 11 % CLASSES  # some classes more often than others
    centres = np.random.default_rng(3).normal(0, 1.2, (CLASSES, COLUMNS))
    x = centres[labels] + random.normal(0, 1, (count, COLUMNS)) * [1, 2, 0.5, 1, 1, 3]
    return np.round(x * 1024).astype(np.float32) / 1024, labels


x, y = draw(TRAIN)
z, _ = draw(TEST)


def linear(**options):
    return softmax(LinearSVC(dual=False, tol=1e-9, max_iter=100000, **options).fit(x, y).decision_function(z), axis=1)


def logistic(**options):
    model = OneVsRestClassifier(LogisticRegression(solver="liblinear", tol=1e-9, max_iter=100000, **options)).fit(x, y)
    p = np.stack([expit(e.decision_function(z)) for e in model.estimators_], 1)
    return p / p.sum(1, keepdims=True)


def rbf(**options):
    model = SVC(tol=1e-6, decision_function_shape="ovr", **options).fit(x, y)
    return softmax(model.decision_function(z), axis=1)


def on_components(whiten):
    pca = PCA(3, whiten=whiten, svd_solver="full").fit(x)
    scores = LinearSVC(dual=False, tol=1e-9, max_iter=100000).fit(pca.transform(x), y).decision_function(pca.transform(z))
    return softmax(scores, axis=1)


cases = [
    ({"type": "linear_svm"}, linear()),
    ({"type": "linear_svm", "c": 0.02}, linear(C=0.02)),
    ({"type": "linear_svm", "balanced": True}, linear(class_weight="balanced")),
    ({"type": "logistic", "c": 0.5}, logistic(C=0.5)),
    ({"type": "rbf_svm"}, rbf()),
    ({"type": "rbf_svm", "c": 10, "gamma": 0.05, "balanced": True}, rbf(C=10, gamma=0.05, class_weight="balanced")),
    ({"type": "nearest_neighbours", "neighbours": 7}, KNeighborsClassifier(7).fit(x, y).predict_proba(z)),
    ({"type": "linear_svm", "steps": [{"type": "pca", "components": 3}]}, on_components(False)),
    ({"type": "linear_svm", "steps": [{"type": "pca", "components": 3, "whiten": True}]}, on_components(True)),
]
out = {
    "versions": {"scikit-learn": sklearn.__version__}, "classes": CLASSES, "columns": COLUMNS,
    "train": [float(v) for v in x.ravel()], "labels": [int(v) for v in y], "test": [float(v) for v in z.ravel()],
    "cases": [{"settings": settings, "scores": [round(float(v), 6) for v in scores.ravel()]} for settings, scores in cases],
}
(pathlib.Path(__file__).parent / "learners.json").write_text(json.dumps(out) + "\n")
