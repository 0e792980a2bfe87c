"""LoRA safety adapters: plain fine-tuning, ReFAT, and the same on late layers only. Knows no file format."""

import random
from collections.abc import Sequence
from copy import deepcopy
from logging import getLogger
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor, nn
from torch.nn import functional

from backend.subjects.huggingface import HuggingFaceModel
from training.config import AdapterSettings, RefatSettings
from training.examples import Batch, Example, batches, collate, steps_of
from training.refat import choose_rows, directions_ablated, last_residuals, refusal_directions

log = getLogger(__name__)


def train_adapter(
    subject: HuggingFaceModel,
    examples: Sequence[Example],
    settings: AdapterSettings,
    seed: int,
    layers: Sequence[int] | None = None,
    refat: RefatSettings | None = None,
) -> PeftModel:
    """Fine-tune adapters on the examples' responses; `layers` None means all. The subject's own weights stay."""
    torch.manual_seed(seed)
    rng, coins = random.Random(seed), torch.Generator().manual_seed(seed)
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        target_modules=list(settings.targets),
        layers_to_transform=None if layers is None else list(layers),
        task_type="CAUSAL_LM",
    )
    model = get_peft_model(deepcopy(subject.model), config)  # a copy's linear layers are plain ones
    base: Any = model.get_base_model()
    backbone, head, blocks = base.model, base.lm_head, list(base.model.layers)
    weights = [p for p in model.parameters() if p.requires_grad]
    steps = steps_of(len(examples), settings.batch_size, settings.epochs)
    optimiser = torch.optim.AdamW(weights, lr=settings.learning_rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / settings.warm_up_steps, max(0.0, 1 - step / steps))
    )
    directions: Tensor | None = None
    model.train()
    for step, batch in enumerate(batches(examples, settings.batch_size, settings.epochs, rng, subject.device)):
        with _autocast(subject.device):
            if refat is not None and step >= refat.start * steps:
                if directions is None or step % refat.refresh_every == 0:
                    directions = _estimate(backbone, blocks, examples, refat, rng, subject.device)
                chosen = choose_rows(batch.harmful, len(blocks), refat.row_probability, refat.layer_probability, coins)
                with directions_ablated(blocks, directions, chosen):
                    loss = response_loss(backbone, head, batch)
            else:
                loss = response_loss(backbone, head, batch)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        schedule.step()
        if step % 50 == 0 or step == steps - 1:
            log.info("step %d of %d, loss %.3f", step, steps, float(loss.detach()))
    return model.eval()


def response_loss(backbone: nn.Module, head: nn.Module, batch: Batch) -> Tensor:
    """Mean cross-entropy over the response tokens; only their logits are computed."""
    hidden: Tensor = backbone(input_ids=batch.ids, attention_mask=batch.mask, use_cache=False).last_hidden_state
    wanted = batch.targets >= 0
    return functional.cross_entropy(head(hidden[wanted]).float(), batch.targets[wanted])


@torch.no_grad()
def _estimate(
    backbone: nn.Module,
    blocks: Sequence[nn.Module],
    examples: Sequence[Example],
    refat: RefatSettings,
    rng: random.Random,
    device: torch.device,
) -> Tensor:
    """The current model's refusal directions, from a fresh draw of prompts read at their last token."""
    drawn: list[Example] = []
    for harmful in (True, False):
        drawn += rng.sample([e for e in examples if e.harmful == harmful], refat.prompts_per_class)
    batch = collate([Example(e.prompt_ids, (), e.harmful) for e in drawn], device)
    with last_residuals(blocks, batch.mask.sum(1) - 1) as residuals:
        backbone(input_ids=batch.ids, attention_mask=batch.mask, use_cache=False)
    return refusal_directions(residuals, batch.harmful)


def _autocast(device: torch.device) -> Any:
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda")
