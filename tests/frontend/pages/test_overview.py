"""The overview: four numbers first, answers in words, and every part also where there is nothing to show."""

from dataclasses import replace

from backend.api.schemas import Distributions, LayerUse, Slice
from backend.audit.results import NOTHING_MEASURED, Interactions, Pair, ProbeSummary, TwoByTwo
from frontend.answers import NO_ANSWERS
from frontend.pages.overview import overview
from tests.frontend.features_data import audit_detail
from tests.frontend.figures.test_overview_figures import DIRECTION
from tests.frontend.prompt_data import HOSTILE, NOTHING, RATE, cascade_summary, report_card
from tests.frontend.trees import links, words
from tests.measured_reports import STATEMENTS, VERIFICATION

MEASURED = TwoByTwo(RATE, RATE, RATE, RATE, RATE, "backup")
INTERACTIONS = Interactions(
    ("21:1", "24:2"),
    4,
    128,
    32,
    RATE,
    RATE,
    3.7,
    120,
    (Pair("21:1", "24:2", -1.5, 6.3, MEASURED),),
    {},
    ProbeSummary(RATE, RATE, 9),
)
MANIFEST = {
    "subject": {"id": HOSTILE, "model_sha256": "a" * 64, "n_layers": 30},
    "saes": {"layers": [21], "sha256": {"21": "b" * 64}, "architecture": {"21": "jumprelu"}, "d_sae": {"21": 2560}},
    "settings": {"effort": "quick", "amounts": {"k_sweep": [1, 2]}, "include_sink": False},
    "command": "refusalscope audit --subject x",
    "notes": ["52 prompts are borrowed"],
    "timings": {"started": "2026-11-24T13:15:21+00:00", "seconds": {"baseline": 27.3}},
    "seed": 0,
}
DISTRIBUTIONS = Distributions(
    set_sizes={"test": {1: 3}},
    depths={"test": {1: 3}},
    slices=[Slice(category="fraud", counts={"flipped": 3})],
    layers=[LayerUse(layer=21, n_candidates=40, best_cosine=0.7, in_minimal_sets=3, woken=1)],
    never_flipped=["h/9"],
)
NOTHING_COUNTED = Distributions(set_sizes={}, depths={}, slices=[], layers=[], never_flipped=[])


def page(distributions=DISTRIBUTIONS, origin="run", **changes):
    detail = audit_detail()
    values = {
        "direction": DIRECTION,
        "report_card": report_card(),
        "cascade": cascade_summary(),
        "interactions": INTERACTIONS,
        "manifest": MANIFEST,
        "audit": detail.audit.model_copy(update={"origin": origin}),
    }
    return overview(detail.model_copy(update=values | changes), distributions)


def test_four_numbers_come_first_with_interval_n_and_evidence() -> None:
    view = page()
    said = words(view)
    places = [
        said.index(label)
        for label in (
            "Flipped by minimal sets",
            "Flipped by matched random sets",
            "Flipped by the direction",
            "Over-refusal",
            NO_ANSWERS,
            "Does it refuse?",
        )
    ]
    assert places == sorted(places)
    assert "70 to 98 %, n 21" in said
    refused = "/audits/audit_1/prompts?label=harmful&split=test&verdict=refused"
    assert [link for link in links(view) if link.startswith(refused)][:3] == [
        f"{refused}&sort=outcome",
        f"{refused}&sort=-random_flips",
        f"{refused}&sort=-flipped_direction",
    ]


def test_never_flipped_and_manifest_are_there() -> None:
    view = page()
    said = words(view)
    assert "/audits/audit_1/prompts/h%2F9" in links(view)
    assert "refusalscope audit --subject x" in said
    assert "layer 21 (jumprelu, 2560)" in said
    assert "52 prompts are borrowed" in said
    assert "amounts: k sweep" in said
    assert HOSTILE in said  # as text


def test_an_audit_with_nothing_to_measure_still_opens() -> None:
    nothing = dict.fromkeys(("depth", "flipped", "woken", "woken_random"), NOTHING)
    unfitted = Interactions((), 0, 0, 0, NOTHING, NOTHING, None, 0, (), {}, ProbeSummary(NOTHING, NOTHING, 0))
    card = report_card(refusal_rate=NOTHING_MEASURED, minimal_set_size=NOTHING, features_for_half=None)
    said = words(
        page(NOTHING_COUNTED, report_card=card, cascade=cascade_summary(**nothing), interactions=unfitted, manifest={})
    )
    assert "not measured" in said
    assert "None: the score of every prompt that was searched could be flipped" in said


def test_examples_and_imports_say_so() -> None:
    assert "Example: really run by the makers of this product on 2026-11-24" in words(page(origin="example"))
    assert "Imported from a report file" in words(page(origin="import"))
    assert "Example" not in words(page())


def test_answers_are_the_reports_own_statements() -> None:
    view = page(report_card=report_card(statements=STATEMENTS))
    said = words(view)
    for one in STATEMENTS:
        assert one.text in said
        assert one.rule in said
        assert f"/audits/audit_1/{one.evidence}" in " ".join(links(view))
    assert NO_ANSWERS not in said
    assert "report_card.refusal_rate" in said


def test_a_measured_side_effect_is_the_fourth_number() -> None:
    view = page(verification=VERIFICATION)
    said = words(view)
    assert "Side effect (KL, nats a token)" in said
    assert "0.021" in said
    assert said.index("Side effect") < said.index("What makes refusals comply")
    assert "/audits/audit_1/verification#side-effects" in links(view)


def test_hostile_statements_stay_text() -> None:
    hostile = replace(STATEMENTS[0], question=HOSTILE, text=HOSTILE, rule=HOSTILE, evidence=HOSTILE)
    view = page(report_card=report_card(statements=(hostile,)))
    assert words(view).count(HOSTILE) >= 3
    assert all(HOSTILE not in link for link in links(view))
