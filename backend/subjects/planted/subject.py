"""Subjects whose truth is known: what every stage of an audit is tested against, and a demo without a download.

`planted` refuses for the reasons listed in circuit.py. `planted-null` has the same SAEs and nearly the same
activations, and refuses as reliably, but no SAE feature takes part: nothing may be found in it.
"""

from dataclasses import dataclass

from backend.errors import SubjectError
from backend.subjects.catalogue import PLANTED_SUBJECTS
from backend.subjects.huggingface import HuggingFaceModel
from backend.subjects.planted.autoencoders import planted_autoencoders
from backend.subjects.planted.circuit import PlantedTruth, planted_truth
from backend.subjects.planted.weights import planted_llama
from backend.subjects.planted.words import planted_tokenizer
from backend.subjects.sparse_autoencoder import SparseAutoencoder


@dataclass(frozen=True, eq=False)
class PlantedSubject:
    """A model, its SAEs by audited layer, and what is planted in them."""

    model: HuggingFaceModel
    saes: dict[int, SparseAutoencoder]
    truth: PlantedTruth


def planted_subject(name: str = "planted", device: str = "cpu") -> PlantedSubject:
    """Build one of PLANTED_SUBJECTS, the same bit for bit each time; raises SubjectError for another name."""
    if name not in PLANTED_SUBJECTS:
        raise SubjectError(f"subject {name}: unknown planted subject; choose one of {', '.join(PLANTED_SUBJECTS)}")
    null = name == "planted-null"
    model = HuggingFaceModel(planted_llama(null).to(device), planted_tokenizer(), name)
    return PlantedSubject(model, planted_autoencoders(device), planted_truth(name, null))
