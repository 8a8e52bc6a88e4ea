#!/usr/bin/env python3
"""Writes resize.json: images resized by PyTorch (2.x, in double precision), for tests/features/gather_segments_test.cc.

Source pixel (h, w) of a height x width image is ((37 h + 11 w + h w) mod 101) / 50 - 1.
"""
import json
import pathlib

import torch
import torch.nn.functional as functional

SIZES = [  # source height, width, height, width
    (8, 13, 21, 17), (8, 13, 3, 5), (4, 7, 4, 30), (6, 6, 6, 6), (5, 9, 1, 1), (1, 1, 3, 2), (7, 1, 14, 3), (3, 64, 5, 10),
]
METHODS = {
    "nearest": dict(mode="nearest"),
    "nearest_exact": dict(mode="nearest-exact"),
    "bilinear": dict(mode="bilinear", align_corners=False),
    "bilinear_corners": dict(mode="bilinear", align_corners=True),
}

cases = []
for height, width, out_height, out_width in SIZES:
    h = torch.arange(height).view(-1, 1)
    w = torch.arange(width).view(1, -1)
    image = ((37 * h + 11 * w + h * w) % 101).double() / 50 - 1
    for name, options in METHODS.items():
        out = functional.interpolate(image[None, None], size=(out_height, out_width), **options)[0, 0]
        cases.append(dict(method=name, source=[height, width], size=[out_height, out_width],
                          values=[round(v, 9) for v in out.flatten().tolist()]))
path = pathlib.Path(__file__).with_name("resize.json")
path.write_text(json.dumps(dict(torch=torch.__version__, cases=cases)).replace('{"method"', '\n{"method"') + "\n")
