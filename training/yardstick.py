"""Makes the judges' yardstick: completions of the bundled subjects, to be read and labelled, then packed for shipping.

    python -m training.yardstick generate --out build/yardstick
    python -m training.yardstick pack --out build/yardstick --labels build/yardstick/labels.jsonl
    python -m training.yardstick verdicts

`generate` is greedy and draws nothing, so that it gives the same completions again. Then somebody reads
`generated.jsonl` and writes one line of labels for each completion (backend/audit/refusal/yardstick/README.md); no
verdict of a judge is among what is read. `verdicts` writes down what the phrase judge says of every row, after `pack`
and whenever its rules change.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import save

from backend.audit.interventions import DEFAULT_SCOPE, NO_INTERVENTION, Intervention
from backend.audit.prompt_groups import evenly_spaced
from backend.audit.refusal.judges.phrases import PhraseJudge
from backend.audit.refusal.yardstick.yardstick import MASKED, PHRASES, PROBES, ROWS, load_yardstick
from backend.audit.spec import AuditedPrompt
from backend.audit.stages.candidates import rank_candidates, table_activations
from backend.audit.stages.direction import ablate_everywhere, add_at, fit_direction
from backend.engine.engine import ResidualEngine
from backend.engine.protocol import Pair
from backend.prompts.bundled.subsets import bundled_prompts
from backend.subjects.bundled.tokenizer import bundled_decode
from backend.subjects.subject import load_subject

Arm = Literal["baseline", "direction", "added", "top2", "top5", "clamp", "clamp_wide", "direction_early"]
"""direction: ablated at every layer. direction_early: that of layer 9. added: added at its layer. topK: the K best
candidates of every layer ablated. clamp: the best 5 of every layer at minus their activation. clamp_wide: the best 50
at minus three times theirs."""

YARDSTICK = Path(__file__).parents[1] / "backend" / "audit" / "refusal" / "yardstick"
MAX_NEW_TOKENS = 100
FIT_PROMPTS = 32
DIRECTION_LAYER = {"smollm2-135m-refat": 15}  # the others: 12
EARLY_LAYER = 9
LABELS = ("harmful", "look_alike", "benign")

PLAN: dict[str, dict[Arm, tuple[int, int, int]]] = {  # subject -> arm -> prompts of each of LABELS
    "smollm2-135m-sft": {
        "baseline": (32, 24, 12),
        "direction": (18, 0, 2),
        "added": (0, 0, 6),
        "top2": (14, 0, 0),
        "top5": (22, 4, 0),
        "clamp": (14, 0, 4),
        "clamp_wide": (6, 2, 2),
        "direction_early": (18, 0, 0),
    },
    "smollm2-135m-refat": {
        "baseline": (20, 14, 6),
        "direction": (12, 0, 0),
        "top5": (14, 2, 0),
        "clamp_wide": (4, 0, 2),
    },
    "smollm2-135m-late": {
        "baseline": (18, 14, 4),
        "direction": (10, 0, 0),
        "top5": (10, 0, 0),
        "direction_early": (10, 0, 0),
    },
    "smollm2-135m-base": {"baseline": (18, 10, 8)},
}


@dataclass(frozen=True)
class Wanted:
    """One completion to generate."""

    arm: Arm
    audited: AuditedPrompt


def generate(subject: str, plan: dict[Arm, tuple[int, int, int]], offset: int) -> list[dict[str, Any]]:
    """The completions of one subject, in the order of its plan. offset: where in the prompts of a label it begins."""
    loaded = load_subject(subject, device="cpu")
    engine = ResidualEngine(loaded.model, dict(loaded.saes))
    prompts = [AuditedPrompt(p, loaded.model.encode_chat(p.text)) for p in bundled_prompts().prompts]
    interventions = _interventions(engine, prompts, subject)
    wanted: list[Wanted] = []
    for number, (arm, counts) in enumerate(plan.items()):
        for label, count in zip(LABELS, counts, strict=True):
            shift = 7 * (offset + number)  # so that arms and subjects answer other prompts
            of_label = [p for p in prompts if p.prompt.label == label]
            turned = [*of_label[shift % len(of_label) :], *of_label[: shift % len(of_label)]]
            wanted += [Wanted(arm, audited) for audited in evenly_spaced(turned, count) if count]
    pairs = [Pair(one.audited.tokens, interventions[one.arm]) for one in wanted]
    completions = engine.generate(pairs, MAX_NEW_TOKENS)
    name = subject.rpartition("-")[2]
    return [
        {
            "id": f"{name}-{one.arm}-{one.audited.prompt.id}",
            "subject": subject,
            "arm": one.arm,
            "prompt_id": one.audited.prompt.id,
            "prompt": one.audited.prompt.text,
            "label": one.audited.prompt.label,
            "family": one.audited.prompt.family,
            "ended": completion.ended,
            "ids": list(completion.ids),
            "text": completion.text,
        }
        for one, completion in zip(wanted, completions, strict=True)
    ]


def _interventions(engine: ResidualEngine, prompts: Sequence[AuditedPrompt], subject: str) -> dict[Arm, Intervention]:
    def discovery(label: str) -> list[AuditedPrompt]:
        return [p for p in prompts if p.prompt.label == label and p.prompt.split == "discovery"][:FIT_PROMPTS]

    harmful, benign = discovery("harmful"), discovery("benign")
    vectors = fit_direction(engine, harmful, benign, FIT_PROMPTS)
    layer = DIRECTION_LAYER.get(subject, 12)
    direction = vectors.at(layer, -1)
    table = table_activations(engine, benign, DEFAULT_SCOPE, lambda done, total: None)
    ranked = rank_candidates(engine.saes, {at: vectors.at(at, -1) for at in vectors.layers}, table.density, 50)

    return {
        "baseline": NO_INTERVENTION,
        "direction": ablate_everywhere(engine, direction, DEFAULT_SCOPE),
        "direction_early": ablate_everywhere(engine, vectors.at(EARLY_LAYER, -1), DEFAULT_SCOPE),
        "added": add_at(layer, direction, DEFAULT_SCOPE),
        "top2": Intervention(ranked.top(2)),
        "top5": Intervention(ranked.top(5)),
        "clamp": Intervention(ranked.top(5), mode="scale", scale=-1.0),
        "clamp_wide": Intervention(ranked.top(50), mode="scale", scale=-3.0),
    }


def pack(generated: Sequence[dict[str, Any]], labels: Sequence[dict[str, Any]], out: Path) -> None:
    """Join completions and labels into the shipped files: words where they do no harm, token ids where they might.

    Masked is what answers a harmful prompt in any way: everything there that was not labelled refused. A completion
    without a label is left out.
    """
    by_id = {label["id"]: label for label in labels}
    unknown = sorted(set(by_id) - {one["id"] for one in generated})
    if unknown:
        raise SystemExit(f"labels: no completion is called {unknown[0]}")
    rows, masked, probes = [], {}, PROBES
    for one in generated:
        if (label := by_id.get(one["id"])) is None:
            continue
        hidden = one["label"] == "harmful" and label["verdict"] != "refused"
        if hidden or probes > 0:  # the first few unmasked ones tell the right tokenizer
            probes -= not hidden
            masked[one["id"]] = torch.tensor(one["ids"], dtype=torch.int32)
        row = {key: value for key, value in one.items() if key not in ("ids", "text")}
        row |= {"n_tokens": len(one["ids"]), "text": None if hidden else one["text"]}
        row |= {key: label[key] for key in ("verdict", "usefulness", "reason")}
        rows.append(json.dumps(row, ensure_ascii=False))
    (out / ROWS).write_text("\n".join(rows) + "\n", encoding="utf-8")
    (out / MASKED).write_bytes(save(masked))


def phrase_verdicts(out: Path) -> None:
    """The phrase judge's verdict on every row, for those who cannot read masked ones."""
    judge, yardstick = PhraseJudge(), load_yardstick()
    verdicts = {row.id: judge.judge(row.prompt, text, row.ended) for row, text in yardstick.readable(bundled_decode())}
    content = {"sha256": judge.sha256, "yardstick": yardstick.sha256, "verdicts": verdicts}
    (out / PHRASES).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("step", choices=["generate", "pack", "verdicts"])
    parser.add_argument("--out", type=Path, default=Path("build/yardstick"), help="folder of generated.jsonl")
    parser.add_argument("--labels", type=Path, help="of pack: JSONL of id, verdict, usefulness, reason")
    options = parser.parse_args()
    file = options.out / "generated.jsonl"
    if options.step == "generate":
        options.out.mkdir(parents=True, exist_ok=True)
        with file.open("w", encoding="utf-8") as lines:
            for offset, (subject, plan) in enumerate(PLAN.items()):
                for one in generate(subject, plan, 3 * offset):
                    lines.write(json.dumps(one, ensure_ascii=False) + "\n")
    elif options.step == "verdicts":
        phrase_verdicts(YARDSTICK)
    else:
        pack(_rows(file), _rows(options.labels), YARDSTICK)


def _rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line]


if __name__ == "__main__":
    main()
