"""Reads what Serval writes: runs, stores and bundles, as pandas tables and NumPy arrays.

    import serval
    run = serval.read_run("runs/ravdess_lstm")
    run.results["summary"]["uar"]["mean"]
    run.predictions().groupby("actor")
    store = serval.read_store("stores/features-....h5")     # needs h5py
    store["ravdess/03-01-01-01-01-01-01"]                   # [frame, value]
    bundle = serval.read_bundle("lstm.serval")
    bundle.weights("weights/bilstm-fold-1-seed-1.safetensors")
"""

from .bundle import Bundle, read_bundle
from .run import Run, read_run
from .store import Store, read_store

__all__ = ["Bundle", "Run", "Store", "read_bundle", "read_run", "read_store"]
