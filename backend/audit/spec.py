"""What to audit and how hard, as values that reject impossible combinations. Knows no model."""

from dataclasses import dataclass
from typing import Literal, get_args

from backend.audit.interventions import DEFAULT_SCOPE, SCOPE_WITH_SINK, Scope
from backend.prompts.prompt import Prompt, Split
from backend.subjects.language_model import ChatTokens

EffortName = Literal["quick", "standard", "thorough"]
EFFORTS: tuple[EffortName, ...] = get_args(EffortName)

OnsetMethod = Literal["calibrated", "surrogate"]
"""calibrated: refusal-onset tokens from the subject's own completions. surrogate: the paper's single token "I"."""


@dataclass(frozen=True)
class Effort:
    """How much is measured. More effort narrows intervals and searches wider; it changes no definition."""

    k_sweep: tuple[int, ...] = (1, 2, 5, 10, 20, 50, 100, 200)  # candidates per layer, ablated together
    removal_orders: int = 3  # greedy orders: least effect first, the rest random
    searched_beyond_test: int = 6  # refused discovery and validation prompts that are searched; every test one is
    random_draws: int = 24  # different matched random sets per claimed set, at most
    random_on: Literal["all", "test"] = "test"  # refused prompts whose sets are held against matched random ones
    max_new_tokens: int = 100  # refusals are undercounted below 100
    direction_prompts: int = 6  # validation prompts of each label per cell of the direction grid
    direction_fit_prompts: int = 64  # discovery prompts of each label behind the difference of means, at most
    table_prompts: int = 256  # prompts behind the activation table, at most
    single_effects: int = 12  # active candidates ablated alone per prompt
    cascade_rounds: int = 8
    cascade_random_draws: int = 6  # matched random ablations per round
    woken_tried: int = 8  # woken features per round whose total effect is measured
    backup_draws: int = 8  # matched active features re-ablated beside each claimed backup, at most
    fm_pool: int = 24  # features of the factorisation machine
    fm_masks: int = 320
    fm_prompts: int = 4  # discovery prompts each mask is scored on
    pairs_shown: int = 12  # claimed pairs that are measured as a 2x2
    pair_prompts: int = 32  # prompts behind each 2x2, at most
    noise_draws: int = 10  # equal-norm noise per claimed set
    sufficiency_sets: int = 8  # claimed sets put into benign prompts, at most
    sufficiency_prompts: int = 12  # benign test prompts that they are put into, at most
    side_effect_prompts: int = 12  # benign test prompts under each ablation, at most
    transfer_sets: int = 16  # claimed sets tried on the other refused test prompts, at most
    pooled_steps: int = 24  # features of the pool, at most
    stability_prompts: int = 6  # refused test prompts that are perturbed, at most
    stability_perturbations: Literal["core", "all"] = "all"
    stability_completions: int = 72  # perturbed prompts answered by a completion, at most; all have scores


_EFFORTS: dict[EffortName, Effort] = {
    "quick": Effort(
        removal_orders=2,
        searched_beyond_test=2,
        direction_prompts=2,
        single_effects=8,
        cascade_rounds=5,
        cascade_random_draws=4,
        woken_tried=4,
        backup_draws=4,
        fm_pool=16,
        fm_masks=128,
        pairs_shown=5,
        pair_prompts=12,
        noise_draws=5,
        sufficiency_sets=2,
        sufficiency_prompts=3,
        side_effect_prompts=3,
        transfer_sets=4,
        pooled_steps=8,
        stability_prompts=3,
        stability_perturbations="core",
        stability_completions=12,
    ),
    "standard": Effort(),
    "thorough": Effort(
        removal_orders=10,
        searched_beyond_test=1000,
        random_draws=200,
        random_on="all",
        max_new_tokens=150,
        direction_prompts=16,
        direction_fit_prompts=128,
        single_effects=40,
        cascade_rounds=12,
        cascade_random_draws=20,
        woken_tried=16,
        backup_draws=20,
        fm_pool=48,
        fm_masks=1024,
        fm_prompts=8,
        pairs_shown=30,
        pair_prompts=64,
        noise_draws=50,
        sufficiency_sets=24,
        sufficiency_prompts=32,
        side_effect_prompts=32,
        transfer_sets=48,
        pooled_steps=64,
        stability_prompts=32,
        stability_completions=1000,
    ),
}


@dataclass(frozen=True)
class AuditSettings:
    """Everything the numbers depend on besides subject, SAEs and prompts."""

    effort: EffortName = "standard"
    seed: int = 0
    onset: OnsetMethod = "calibrated"
    include_sink: bool = False  # also run the minimal set and its random control with the attention sink in scope

    def __post_init__(self) -> None:
        if self.effort not in EFFORTS:
            raise ValueError(f"effort: '{self.effort}' is none of {', '.join(EFFORTS)}")
        if self.onset not in get_args(OnsetMethod):
            raise ValueError(f"onset: '{self.onset}' is none of {', '.join(get_args(OnsetMethod))}")
        if self.seed < 0:
            raise ValueError("seed: must be a whole number >= 0")

    @property
    def amounts(self) -> Effort:
        return _EFFORTS[self.effort]

    @property
    def scope(self) -> Scope:
        """Headline figures always leave the sink out; see `include_sink`."""
        return DEFAULT_SCOPE

    @property
    def sink_scope(self) -> Scope:
        return SCOPE_WITH_SINK


@dataclass(frozen=True)
class AuditedPrompt:
    """A prompt and the tokens the subject sees."""

    prompt: Prompt
    tokens: ChatTokens

    @property
    def split(self) -> Split:
        return self.prompt.split
