#!/usr/bin/env python3
"""Tests of significance as scipy and statsmodels have them, for tests/evaluate/paired_tests_test.cc."""
import json
import pathlib

import numpy as np
import scipy
import statsmodels
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

random = np.random.default_rng(8)


def sign_flip(differences):
    test = stats.permutation_test((differences, np.zeros(len(differences))), lambda a, b, axis: (a - b).sum(axis=axis),
                                  permutation_type="samples", vectorized=True, n_resamples=np.inf)
    return {"differences": list(map(float, differences)), "p": float(test.pvalue)}


def t_test(differences, ratio):
    # Without the correction this is scipy's own test; the correction only stretches the deviation.
    k = len(differences)
    plain = stats.ttest_1samp(differences, 0)
    t = plain.statistic * np.sqrt((1 / k) / (1 / k + ratio))
    return {"differences": list(map(float, differences)), "test_to_train": ratio, "t": float(t), "degrees": k - 1,
            "p": float(2 * stats.t.sf(abs(t), k - 1))}


def mcnemar_case(b, c):
    exact = b + c <= 25
    result = mcnemar([[50, b], [c, 30]], exact=exact, correction=True)
    return {"only_first": b, "only_second": c, "p": float(result.pvalue)}


def corrections(p):
    return {"p": p, "holm": multipletests(p, method="holm")[1].tolist(),
            "benjamini_hochberg": multipletests(p, method="fdr_bh")[1].tolist()}


out = {
    "scipy": scipy.__version__, "statsmodels": statsmodels.__version__,
    "sign_flips": [sign_flip(d) for d in (
        random.normal(0.3, 1, 6), random.normal(0, 1, 11), random.normal(1, 1, 12),
        np.array([1.0, 1, 1, 1, 1]), np.array([0.0, 0, 0, 0]), np.array([1.0, -1, 2, -2, 0.5]),
        np.round(random.normal(0.2, 1, 9), 1))],
    "t_tests": [t_test(random.normal(m, s, k), r) for m, s, k, r in (
        (0.02, 0.05, 6, 0.2), (0, 1, 2, 1), (0.1, 0.05, 11, 0.1), (-0.03, 0.02, 24, 1 / 23), (5, 1, 5, 0.25))],
    "mcnemars": [mcnemar_case(b, c) for b, c in (
        (0, 0), (1, 0), (0, 5), (3, 3), (10, 15), (25, 0), (15, 12), (26, 0), (40, 60), (500, 400))],
    "corrections": [corrections(p) for p in (
        [0.01, 0.04, 0.03, 0.005], [0.5], [0.9, 0.8, 0.7], [0.001, 0.001, 0.001], [1.0, 0.02, 0.02, 0.9, 1e-9],
        random.uniform(0, 0.2, 12).tolist())],
}
pathlib.Path(__file__).with_name("statistics.json").write_text(json.dumps(out, indent=1) + "\n")
