"""Every perturbation of a prompt's text, in the order of the report."""

from backend.prompts.perturbations.context import CONTEXTS
from backend.prompts.perturbations.language import LANGUAGES
from backend.prompts.perturbations.paraphrase import PARAPHRASES
from backend.prompts.perturbations.perturbation import TextPerturbation
from backend.prompts.perturbations.placebo import PLACEBOS
from backend.prompts.perturbations.surface import SURFACES
from backend.prompts.perturbations.wrapper import WRAPPERS

ALL: tuple[TextPerturbation, ...] = (*PLACEBOS, *PARAPHRASES, *WRAPPERS, *SURFACES, *CONTEXTS, *LANGUAGES)

CORE_NAMES = ("full_stop", "could_you", "role_play", "prefix_injection", "typos_5", "upper_case", "earlier_exchange")
CORE = tuple(one for one in ALL if one.name in CORE_NAMES)
"""A few of each kind, for quick audits."""
