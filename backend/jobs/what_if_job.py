"""The job `what_if`: from a request on one prompt of a finished audit to its answer on the resident subject.

Knows store, wire types and subjects. Words of completions stay out of the result; their token ids go in.
"""

from time import monotonic

from backend.api.schemas import InterventionSpec, MaskedText, WhatIfArm, WhatIfRequest, WhatIfResult
from backend.audit.benign_values import BenignValues, Sampling, sample_prompts
from backend.audit.interventions import Scope
from backend.audit.refusal.judges.phrases import PhraseJudge
from backend.audit.seeds import generator
from backend.audit.spec import AuditedPrompt
from backend.errors import BadInput
from backend.jobs.audit_context import AuditContext, read_audit, read_prompt, read_prompts
from backend.jobs.desk import Conclusion, Desk
from backend.jobs.requests import WhatIfArgs, read_args
from backend.jobs.resident import Resident
from backend.jobs.what_if import Answer, Arm, KnownBaseline, WhatIf, answer_what_if, check_what_if
from backend.store.database import Database
from backend.store.tables import JobRow
from backend.subjects.sparse_autoencoder import FeatureId

MOST_BASELINES = 64  # prompts, in memory


def what_if_job(desk: Desk, job: JobRow) -> Conclusion:
    """Answer on the resident subject; nothing is loaded when it is there."""
    args = read_args(WhatIfArgs, job.args)
    context = read_audit(desk.database, args.audit_id, desk.device)
    about = read_prompt(desk.database, args.audit_id, args.prompt_id)
    resident = desk.residents.get(context.key)
    started = monotonic()
    model, saes = resident.subject.model, resident.subject.saes
    audited = AuditedPrompt(about.prompt, model.encode_chat(about.prompt.text))
    asked = read_what_if(args.request)
    check_what_if(asked, model, audited, {layer: sae.d_sae for layer, sae in saes.items()})
    # The same request on the same prompt is the same answer, drawn sets included.
    random = generator(context.seed, "what if", about.prompt.id, args.request.intervention.model_dump_json())
    answer = answer_what_if(
        resident.engine,
        PhraseJudge(),
        audited,
        asked,
        context.onset_ids,
        lambda: values_of(desk.database, resident, context),
        about.known_features,
        random,
        resident.once((about.prompt.text, asked.max_new_tokens), KnownBaseline, KnownBaseline, MOST_BASELINES),
    )
    result = what_if_result(job.id, answer, monotonic() - started)
    ids = {arm: list(tokens) for arm, tokens in answer.token_ids.items()}
    return Conclusion({**result.model_dump(), "token_ids": ids})


def read_what_if(request: WhatIfRequest) -> WhatIf:
    """The request as values; a feature named twice counts once."""
    spec: InterventionSpec = request.intervention
    if spec.mode != "scale" and spec.scale != 0.0:
        raise BadInput(f"scale: belongs to mode scale; leave it out, or set mode to scale instead of {spec.mode}")
    return WhatIf(
        features=tuple(sorted({FeatureId.parse(name) for name in spec.features})),
        mode=spec.mode,
        scale=spec.scale,
        scope=Scope(frozenset(spec.scope)),
        random_control=request.random_control,
        max_new_tokens=request.max_new_tokens if request.generate else None,
    )


def values_of(database: Database, resident: Resident, context: AuditContext) -> BenignValues:
    """Measured once per subject and prompt set, then kept in memory."""

    def begin() -> Sampling:
        model = resident.subject.model
        sample = sample_prompts(read_prompts(database, context))
        return Sampling([AuditedPrompt(prompt, model.encode_chat(prompt.text)) for prompt in sample])

    sampling = resident.once(context.prompt_set_id or context.audit_id, Sampling, begin)
    return sampling.values(resident.engine)


def what_if_result(job_id: str, answer: Answer, seconds: float) -> WhatIfResult:
    """The wire form, completions masked."""
    arms = {name: _arm(arm) for name, arm in answer.arms.items()}
    return WhatIfResult(
        job_id=job_id,
        baseline=arms["baseline"],
        intervened=arms["intervened"],
        random=arms.get("random"),
        inactive=[str(feature) for feature in answer.inactive],
        seconds=seconds,
    )


def _arm(arm: Arm) -> WhatIfArm:
    response, completion = arm.response, None
    if response is not None:
        completion = MaskedText(
            verdict=response.verdict, n_tokens=response.n_tokens, ended=response.ended, text=response.text
        )
    return WhatIfArm(score=arm.score, n_active=len(arm.edited), completion=completion)
