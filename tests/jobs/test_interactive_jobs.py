"""What-ifs and reveals by a worker process, alone and between the batches of a running audit."""

import time
from typing import Any

import pytest

from backend.api.schemas import WhatIfRequest, WhatIfResult
from backend.audit.interventions import DEFAULT_SCOPE, Intervention
from backend.engine.engine import ResidualEngine
from backend.engine.protocol import Pair
from backend.store import workers
from backend.subjects.planted.subject import planted_subject
from backend.subjects.sparse_autoencoder import FeatureId
from tests.jobs.conftest import Finished
from tests.jobs.service import Service, wait_until

COMPLIED = "Sure here is one simple plan"


def what_if(finished: Finished, *, generate: bool = False, random_control: bool = True, **intervention: Any) -> Any:
    """Arguments of a what-if that ablates the prompt's minimal set, unless said otherwise."""
    spec = {"features": finished.features, **intervention}
    request = WhatIfRequest(intervention=spec, generate=generate, random_control=random_control)
    return finished.about(request=request.model_dump())


def answer(finished: Finished, args: dict[str, Any]) -> WhatIfResult:
    job = finished.service.ask("what_if", args)
    assert job.state == "done", job.error
    assert job.result is not None
    return WhatIfResult.model_validate({name: value for name, value in job.result.items() if name != "token_ids"})


@pytest.mark.parametrize(("mode", "scale"), [("zero", 0.0), ("scale", -1.0)])
def test_a_what_if_is_a_direct_call_of_the_engine(mode: Any, scale: float, finished: Finished) -> None:
    subject = planted_subject()
    engine = ResidualEngine(subject.model, subject.saes)
    features = tuple(FeatureId.parse(name) for name in finished.features)
    tokens = subject.model.encode_chat(finished.prompt.text)
    summary = finished.service.audit(finished.audit_id).summary
    assert summary is not None
    onset = [token["id"] for token in summary["baseline"]["onset"]["tokens"]]
    asked = Intervention(features, mode, scale, scope=DEFAULT_SCOPE)
    plain, edited = engine.score([Pair(tokens), Pair(tokens, asked)], onset)
    got = answer(finished, what_if(finished, mode=mode, scale=scale))
    assert got.baseline.score == pytest.approx(plain.value, abs=1e-5)
    assert got.intervened.score == pytest.approx(edited.value, abs=1e-5)
    assert got.intervened.n_active == len(edited.edited)


def test_the_minimal_set_flips_and_a_matched_random_set_does_not(finished: Finished) -> None:
    got = answer(finished, what_if(finished, generate=True))
    stored = finished.prompt.story["minimal_sets"][0]
    assert got.baseline.score == pytest.approx(finished.prompt.score, abs=1e-4)
    assert got.intervened.score == pytest.approx(stored["score"], abs=1e-4)
    assert got.inactive == []
    assert got.random is not None
    assert got.random.score > 0.0
    completions = [got.baseline.completion, got.intervened.completion, got.random.completion]
    assert [one.verdict for one in completions if one is not None] == ["refused", "complied", "refused"]


def test_only_refusals_keep_their_words(finished: Finished) -> None:
    job = finished.service.ask("what_if", what_if(finished, generate=True))
    assert job.result is not None
    assert job.result["baseline"]["completion"]["text"].startswith("I cannot help")
    assert job.result["intervened"]["completion"]["text"] is None
    assert COMPLIED not in str(job.result)
    assert set(job.result["token_ids"]) == {"baseline", "intervened", "random"}


@pytest.mark.parametrize("mode", ["mean", "resample"])
def test_modes_with_values_take_them_from_benign_prompts(mode: Any, finished: Finished) -> None:
    first, again = (answer(finished, what_if(finished, mode=mode)) for _ in range(2))
    assert first.intervened.score < 0.0  # refusal features are silent on benign prompts
    assert (first.intervened, first.random) == (again.intervened, again.random)


def test_a_silent_feature_is_named_as_inactive(finished: Finished) -> None:
    got = answer(finished, what_if(finished, features=["1:0", *finished.features]))
    assert len(got.inactive) + got.intervened.n_active == len({"1:0", *finished.features})
    nothing = answer(finished, what_if(finished, features=[]))
    assert nothing.intervened.score == nothing.baseline.score
    assert nothing.random is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"features": ["99:1"]}, "features: 99:1"),
        ({"features": ["1:9999999"]}, "features: 1:9999999"),
        ({"mode": "zero", "scale": 2.0}, "scale: belongs to mode scale"),
    ],
)
def test_what_cannot_be_asked_fails_in_one_line(change: dict[str, Any], said: str, finished: Finished) -> None:
    job = finished.service.ask("what_if", what_if(finished, **change))
    assert job.state == "failed"
    assert job.error is not None
    assert said in job.error
    assert "\n" not in job.error


def test_unknown_audits_and_prompts_fail_in_one_line(finished: Finished) -> None:
    args = what_if(finished)
    for change in ({"audit_id": "audit_none"}, {"prompt_id": "nobody"}):
        job = finished.service.ask("what_if", {**args, **change})
        assert job.state == "failed"
        assert str(next(iter(change.values()))) in str(job.error)


def test_a_reveal_gives_the_words_of_an_audit_and_of_a_what_if(finished: Finished) -> None:
    asked = finished.service.ask("what_if", what_if(finished, generate=True))
    of_audit = finished.prompt.story["minimal_sets"][0]["response"]["tokens"]
    for completion in (of_audit, f"what_if:{asked.id}:intervened"):
        job = finished.service.ask("reveal", finished.about(completion=completion))
        assert job.state == "done", job.error
        assert job.result is not None
        assert job.result["text"].startswith(COMPLIED)


@pytest.mark.parametrize("completion", ["other/minimal/0", "{id}/nothing", "what_if:job_none:intervened", "what_if:"])
def test_a_completion_that_is_not_there_is_not_revealed(completion: str, finished: Finished) -> None:
    name = completion.format(id=finished.prompt.prompt_id)
    job = finished.service.ask("reveal", finished.about(completion=name))
    assert job.state == "failed"
    assert "completion" in str(job.error)


def test_a_what_if_of_another_prompt_is_not_revealed(finished: Finished) -> None:
    asked = finished.service.ask("what_if", what_if(finished, generate=True))
    others = [p["id"] for p in finished.service.report(finished.audit_id)["prompts"]]
    other = next(name for name in others if name != finished.prompt.prompt_id)
    args = {**finished.about(completion=f"what_if:{asked.id}:intervened"), "prompt_id": other}
    assert finished.service.ask("reveal", args).state == "failed"


def test_words_under_intervention_are_in_no_file_unless_revealed(service: Service) -> None:
    with service.worker():
        audit_id, job_id = service.submit_audit()
        assert service.ended(job_id).state == "done"
        flipped = next(p for p in service.report(audit_id)["prompts"] if p["minimal_sets"])
        request = WhatIfRequest(intervention={"features": flipped["minimal_sets"][0]["features"]}, generate=True)
        args = {"audit_id": audit_id, "prompt_id": flipped["id"], "request": request.model_dump()}
        assert service.ask("what_if", args).state == "done"
    service.database.close()
    files = [file for file in service.data.rglob("*") if file.is_file()]
    assert len(files) > 3
    assert [file.name for file in files if b"gather fresh supplies" in file.read_bytes()] == []


def test_what_ifs_are_answered_while_an_audit_runs_and_change_nothing_in_it(
    finished: Finished, undisturbed: dict[str, Any]
) -> None:
    service = finished.service
    asked = [what_if(finished, mode=mode, generate=True) for mode in ("zero", "mean", "resample")]
    alone = [answer(finished, args) for args in asked]
    audit_id, job_id = service.submit_audit(fresh=True)
    wait_until(lambda: service.job(job_id).progress is not None)
    while_running = 0
    for i in range(9):
        got, expected = answer(finished, asked[i % 3]), alone[i % 3]
        assert (got.baseline, got.intervened, got.random) == (expected.baseline, expected.intervened, expected.random)
        while_running += service.job(job_id).state == "running"
    assert while_running > 2
    assert service.ended(job_id).state == "done"
    assert service.report(audit_id) == undisturbed


def test_an_idle_worker_makes_the_latest_audits_subject_ready(service: Service) -> None:
    with service.worker():
        _, job_id = service.submit_audit()
        assert service.ended(job_id).state == "done"

    def resident() -> list[str | None]:
        with service.database.reading() as session:
            return [worker.subject for worker in workers.alive(session, time.time())]

    with service.worker():  # another process, with nothing to do
        wait_until(lambda: resident() == ["planted"])
