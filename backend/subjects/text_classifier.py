"""Any sequence classifier in transformers' format, local or from the hub: texts in, labels out.

Knows labels; knows not what they mean. Weights are safetensors, and no code of a hub is run.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

from backend.errors import SubjectError
from backend.subjects.quiet import quiet_libraries

BATCH = 32  # exchanges at once
MOST_TOKENS = 512  # of one exchange; its beginning is kept, where refusals are
SPECIAL_POSITIONS = 2  # that RoBERTa-like models keep back of max_position_embeddings


class HubTextClassifier:
    """Implements `backend.audit.refusal.judges.classifier.TextClassifier`.

    What the model sees: the conversation in the tokenizer's own chat template where it has one, else the completion
    alone, as published refusal classifiers were trained.
    """

    def __init__(self, name: str, model: Any, tokenizer: Any) -> None:
        self.name, self.model, self.tokenizer = name, model.eval(), tokenizer
        config = model.config
        self.labels: tuple[str, ...] = tuple(config.id2label[i] for i in range(config.num_labels))
        places = getattr(config, "max_position_embeddings", None) or MOST_TOKENS + SPECIAL_POSITIONS
        self.max_tokens = min(tokenizer.model_max_length, places - SPECIAL_POSITIONS, MOST_TOKENS)
        self.sha256 = _content_sha256(model, tokenizer)

    @classmethod
    def load(cls, source: str, device: str = "cpu") -> "HubTextClassifier":
        """source: a directory, or a hub id. Raises SubjectError, one line."""
        if Path(source).is_dir() and not list(Path(source).glob("*.safetensors")):
            raise SubjectError(
                f"--judge classifier:{source}: no safetensors weights in it; pickled ones are never opened, save them "
                "again with transformers' save_pretrained"
            )
        try:
            with quiet_libraries():
                config = AutoConfig.from_pretrained(source, trust_remote_code=False)
                tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
                model, found = AutoModelForSequenceClassification.from_pretrained(
                    source, config=config, use_safetensors=True, trust_remote_code=False, output_loading_info=True,
                    dtype=torch.float32,
                )  # fmt: skip
        except Exception as error:  # the library raises a dozen types here; each means that it cannot be used
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise SubjectError(f"--judge classifier:{source}: cannot be loaded: {reason}") from error
        if missing := sorted(found["missing_keys"]):
            raise SubjectError(
                f"--judge classifier:{source}: it is no trained classifier, its weights lack {missing[0]}; "
                "give a text-classification model"
            )
        if config.num_labels < 2:
            raise SubjectError(
                f"--judge classifier:{source}: it has {config.num_labels} label; two are needed at least"
            )
        return cls(source, model.to(device), tokenizer)

    @torch.inference_mode()
    def classify(self, exchanges: Sequence[tuple[str, str]]) -> list[str]:
        """The likeliest label of each (prompt, completion)."""
        texts = [self._text(prompt, completion) for prompt, completion in exchanges]
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))  # batches of like length pad little
        labels: dict[int, str] = {}
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            batch = self.tokenizer(
                [texts[i] for i in rows], padding=len(rows) > 1, truncation=True, max_length=self.max_tokens,
                return_tensors="pt",
            )  # fmt: skip
            logits = self.model(**batch.to(self.model.device)).logits
            labels.update((i, self.labels[best]) for i, best in zip(rows, logits.argmax(-1).tolist(), strict=True))
        return [labels[i] for i in range(len(texts))]

    def _text(self, prompt: str, completion: str) -> str:
        if self.tokenizer.chat_template is None:
            return completion
        turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": completion}]
        return str(self.tokenizer.apply_chat_template(turns, tokenize=False))


def _content_sha256(model: Any, tokenizer: Any) -> str:
    """Of weights, configuration and tokenizer by their content, wherever they lie."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().to("cpu").contiguous().reshape(-1).view(torch.uint8).numpy().data)
    config = {k: v for k, v in model.config.to_dict().items() if k not in ("_name_or_path", "transformers_version")}
    digest.update(json.dumps(config, sort_keys=True, default=str).encode())
    digest.update(f"{tokenizer.backend_tokenizer.to_str()}{tokenizer.chat_template}".encode())
    return digest.hexdigest()
