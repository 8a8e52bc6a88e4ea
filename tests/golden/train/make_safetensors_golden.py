"""weights.safetensors, written by the package of that name, for tests/core/safetensors_test.cc.

Half of the numbers are exact in all three types; the others show how the types round.
"""
import pathlib

import torch
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).resolve().parent
values = torch.tensor([0.0, -1.0, 0.5, 1.0 / 3, 65504.0, -1e-7, 3.0e-5, 257.0])
save_file({"single": values.reshape(2, 4), "half": values.to(torch.float16).reshape(4, 2), "brain": values.to(torch.bfloat16),
           "scalar": torch.tensor(2.5), "count": torch.tensor([7, 8])}, HERE / "weights.safetensors", {"format": "pt"})
print([values.to(t).to(torch.float32).tolist() for t in (torch.float16, torch.bfloat16)])
