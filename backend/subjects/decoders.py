"""The decoder of an SAE that a report names, and nothing else of it: to match the features of two dictionaries."""

import numpy as np
from numpy.typing import NDArray

from backend.errors import SubjectError
from backend.subjects.data_directory import found_here
from backend.subjects.sae_loading import find_saes, load_saes


def load_decoder(source: str, sha256: str, layer: int, d_model: int, n_layers: int) -> NDArray[np.float32]:
    """Decoder rows [d_sae, d_model] of the SAE at `source`, which must still be the one of that hash.

    source: a folder, one in the data directory, or RELEASE:ID, as a report names it. Raises SubjectError, one line.
    """
    sae = load_saes(find_saes(found_here(source), [layer], d_model, n_layers), d_model)[layer]
    if sae.sha256 != sha256:
        raise SubjectError(f"SAE {source}: not the one that the report used at layer {layer}; its weights have changed")
    rows: NDArray[np.float32] = sae.W_dec.detach().numpy()
    return rows
