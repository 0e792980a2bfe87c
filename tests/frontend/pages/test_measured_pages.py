"""Verification, stability, cascade and interactions: everything measured is there with its control, and older audits
say what they lack."""

from dataclasses import replace

import pytest
from dash import no_update

from backend.api.schemas import (
    AuditDetail,
    CascadeGraph,
    CascadeNode,
    CorrectedCount,
    DisagreementRow,
    HumanVerdict,
    Page,
    PerturbedLine,
)
from backend.audit.results import Interactions, Pair
from frontend.components.disagreements import AUTHOR, new_verdict
from frontend.pages.cascade import cascade, clicked_feature
from frontend.pages.interactions import clicked_pair, interactions
from frontend.pages.stability import FEATURES, PROMPTS, stability
from frontend.pages.verification import Persons, verification
from tests.frontend.features_data import audit_detail
from tests.frontend.pages.test_overview import DISTRIBUTIONS, INTERACTIONS
from tests.frontend.prompt_data import HOSTILE, cascade_summary, report_card
from tests.frontend.trees import by_id, links, parts, words
from tests.measured_reports import JUDGES, NONE, STABILITY, VERIFICATION, measured_cascade

DIFFERS = DisagreementRow(
    position=0, prompt_id="h1", arm="minimal", completion="h1/minimal/0",
    verdicts={"phrases": "complied", "llm": "refused"}, person=None,
)  # fmt: skip
SETTLED = HumanVerdict(
    number=1, prompt_id="h1", arm="minimal", judged="complied", old="complied", verdict="refused", author=HOSTILE,
    reason="It declines.", created=0.0,
)  # fmt: skip
COUNTS = [CorrectedCount(path="report_card.flipped.minimal", judged=18, n_judged=21, corrected=17, n_corrected=20)]
OLD = "This audit was made before"


def detail(**changes: object) -> AuditDetail:
    values = {"report_card": report_card(), "cascade": cascade_summary(), "interactions": INTERACTIONS}
    return audit_detail().model_copy(update=values | changes)


def persons(row: DisagreementRow = DIFFERS) -> Persons:
    return Persons(Page(items=[row], total=1, next_cursor=None), COUNTS)


def measured(**changes: object) -> AuditDetail:
    given = {"verification": VERIFICATION, "stability": STABILITY, "judges": JUDGES, "has_completions": True}
    return detail(**(given | changes))


def test_every_claim_stands_beside_its_controls() -> None:
    said = words(verification(measured(), None))
    for arm in ("minimal sets", "matched random sets", "equal-norm noise", "sign flip", "reconstruction alone"):
        assert arm in said
    assert "19 of 20" in said
    assert "The smallest p that so many draws can give is 0.048." in said
    assert "6 sets on 8 benign prompts" in said
    assert "pooled features of 90 % of the sets (3 features)" in said
    assert "0.021" in said
    assert "0.012 to 0.034, n 12" in said
    assert "2 features, chosen by score" in said


def test_sets_and_features_of_the_transfer_are_links() -> None:
    found = links(verification(measured(), None))
    assert {"/audits/audit_1/prompts/h1", "/audits/audit_1/features/21-1130"} <= set(found)


def test_raw_rates_stand_beside_corrected_ones() -> None:
    said = words(verification(measured(), None))
    assert "refusal rate95 %80 to 99 %, n 2297 %85 to 100 %, n 22" in said
    assert "judges this audit" in said


def test_an_older_audit_says_that_verification_is_missing() -> None:
    view = verification(detail(), None)
    assert OLD in words(view)
    assert "/audits/new?subject=planted&prompts=planted&effort=quick" in links(view)
    assert OLD in words(verification(measured(judges=None), None))
    assert OLD not in words(verification(measured(), None))


def test_a_person_can_settle_where_judges_differ() -> None:
    view = verification(measured(), persons())
    assert "phrases:" in words(view)
    assert by_id(view, AUTHOR).label == "Who you are"
    assert any(getattr(part, "id", None) == {"type": "verdict-save", "place": 0} for part in parts(view))
    assert "What persons' verdicts change" not in words(view)
    after = words(verification(measured(), persons(DIFFERS.model_copy(update={"person": SETTLED}))))
    assert f"says {HOSTILE}" in after
    assert "18 of 21 (86 %)17 of 20 (85 %)" in after


def test_who_cannot_read_the_completion_cannot_judge_it() -> None:
    view = verification(measured(has_completions=False), persons())
    assert "phrases:" in words(view)
    assert not any(getattr(part, "id", None) == AUTHOR for part in parts(view))


def test_a_verdict_needs_all_its_parts() -> None:
    of = {"prompt_id": "h1", "arm": "minimal"}
    assert new_verdict(of, None, "reason", "me") is None
    assert new_verdict(of, "refused", " ", "me") is None
    assert new_verdict(of, "refused", "reason", None) is None
    kept = new_verdict(of, "refused", " reason ", "me")
    assert kept is not None
    assert (kept.prompt_id, kept.verdict, kept.reason) == ("h1", "refused", "reason")


def line(**changes: object) -> PerturbedLine:
    values = {
        "prompt_id": "h1", "split": "test", "perturbation": "trailing_space", "verdict": None, "score": 2.0,
        "score_change": -0.1, "jaccard": 1.0, "n_lost": 0, "set_flips": None,
    }  # fmt: skip
    return PerturbedLine.model_validate(values | changes)


def test_perturbations_stand_beside_the_placebo() -> None:
    view = stability(measured(), [line(), line(perturbation="typos", verdict="refused", set_flips=True)])
    said = words(view)
    assert said.index("trailing space") < said.index("role play")  # the control first
    assert "german: the subject does not speak it" in said
    features, prompts = by_id(view, FEATURES).rowData, by_id(view, PROMPTS).rowData
    assert [(row["link"]["href"], row["kept"]) for row in features] == [
        ("/audits/audit_1/features/21-1130", 0.9),
        ("/audits/audit_1/features/9-1", 0.5),
    ]
    assert [(row["perturbation"], row["verdict"], row["set_flips"]) for row in prompts] == [
        ("trailing space (control)", "–", "–"),
        ("typos", "refused", "yes"),
    ]
    assert prompts[0]["link"]["href"] == "/audits/audit_1/prompts/h1#perturbed"


def test_an_older_audit_says_that_stability_is_missing() -> None:
    assert OLD in words(stability(detail(), []))


def test_a_stability_without_anything_to_perturb_still_opens() -> None:
    empty = replace(STABILITY, n_prompts=0, perturbations=(), features=(), keep_rate=NONE)
    said = words(stability(measured(stability=empty), []))
    assert "No perturbation was run." in said
    assert "No prompt was perturbed." in said


NODES = [CascadeNode(feature="21:1130", column=0, did="ablated", n_prompts=20, effect=2.0)]
GRAPH = CascadeGraph(n_prompts=20, nodes=NODES, links=[])


def test_what_wakes_stands_beside_random_ablation() -> None:
    view = cascade(detail(cascade=measured_cascade(cascade_summary())), GRAPH, DISTRIBUTIONS)
    said = words(view)
    assert "Over 20 prompts" in said
    assert "as large a matched random ablation 46.0" in said
    assert "1 of 240 features screened" in said
    assert "+21.1" in said
    assert "9 → 21" in said
    assert "/audits/audit_1/features/24-7" in links(view)


def test_an_older_cascade_has_what_it_measured() -> None:
    said = words(cascade(detail(), GRAPH, DISTRIBUTIONS))
    assert "Not measured, or nothing woke." in said
    assert "29.00" in said
    nothing = CascadeGraph(n_prompts=0, nodes=[], links=[])
    assert "no cascade was followed" in words(cascade(detail(), nothing, DISTRIBUTIONS))


@pytest.mark.parametrize("click", [None, {}, {"points": []}, {"points": [{"text": "a line"}]}])
def test_a_click_beside_a_feature_opens_nothing(click: dict[str, object] | None) -> None:
    assert clicked_feature(click, "a1") is no_update


def test_a_click_on_a_feature_opens_it() -> None:
    assert clicked_feature({"points": [{"customdata": ["21:1130", "about"]}]}, "a1") == "/audits/a1/features/21-1130"


OTHER = Pair("15:1", "21:1", 0.5, 4.0, INTERACTIONS.pairs[0].measured)


def two_pairs() -> Interactions:
    return replace(INTERACTIONS, pool=("15:1", *INTERACTIONS.pool), pairs=(*INTERACTIONS.pairs, OTHER))


def test_the_address_keeps_the_chosen_pair() -> None:
    view = interactions(detail(interactions=two_pairs()), {"pair": "21:1,15:1"})  # in either order
    chosen = words(by_id(view, "pair-chosen"))
    assert "15:1" in chosen
    assert "24:2" not in chosen
    assert words(by_id(interactions(detail(interactions=two_pairs()), {}), "pair-chosen")).count("24:2") >= 1
    assert {
        "/audits/audit_1/interactions?pair=21%3A1%2C24%3A2",
        "/audits/audit_1/interactions?pair=15%3A1%2C21%3A1",
    } <= (set(links(view)))


def test_a_click_on_a_claimed_cell_opens_its_pair() -> None:
    cell = {"points": [{"x": "24:2", "y": "21:1", "z": -1.5}]}
    assert clicked_pair(cell, "a1") == "/audits/a1/interactions?pair=21%3A1%2C24%3A2"
    assert clicked_pair({"points": [{"x": "24:2", "y": "21:1", "z": None}]}, "a1") is no_update


def test_interactions_that_were_not_fitted_say_so() -> None:
    empty = replace(INTERACTIONS, pairs=(), r2_heldout=NONE)
    said = words(interactions(detail(interactions=empty), {}))
    assert "No pair passed the screen." in said
    assert "Nothing could be fitted" in said
