"""A transformers causal LM as a LanguageModel. Knows the library's modules; knows neither SAEs nor refusal.

Blocks below the first one asked for are swapped for stand-ins that cost nothing, so the library's own forward pass
keeps doing its masks, rotary embeddings and caches for every architecture.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache, PreTrainedModel, PreTrainedTokenizerBase

from backend.errors import SubjectError
from backend.subjects.disturbance import DisturbedWeights
from backend.subjects.language_model import BlockEdit, ChatTokens, Disturbance, Exchange, PositionClass
from backend.subjects.packed_linear import pack_linears
from backend.subjects.roomy_cache import roomy

BLOCK_LISTS = ("layers", "h", "blocks")
FINAL_NORMS = ("norm", "ln_f", "final_layernorm", "final_layer_norm")
PLAIN_TEMPLATE = ("User: ", "\n\nAssistant:")
PLACEHOLDER = "\u2983text\u2984"  # with a number, stands for a text of the chat while the template is taken apart


class _Skipped(nn.Module):
    """Stands in for a block that is not run: hands on what came, or `residual` when it has one."""

    def __init__(self, residual: Tensor | None, as_tuple: bool) -> None:
        super().__init__()
        self.residual, self.as_tuple = residual, as_tuple

    def forward(self, hidden_states: Tensor, *_: Any, **__: Any) -> Any:
        out = hidden_states if self.residual is None else self.residual
        return (out,) if self.as_tuple else out


class HuggingFaceModel:
    """Implements `LanguageModel` for decoder-only transformers models."""

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, name: str) -> None:
        self.model, self.tokenizer, self.name = model.eval(), tokenizer, name
        self._backbone = model.get_decoder()
        self._block_list = _attribute(self._backbone, BLOCK_LISTS, "its list of blocks", name)
        pack_linears(model)
        self._norm_name = next((n for n in FINAL_NORMS if hasattr(self._backbone, n)), None)
        if self._norm_name is None:
            raise SubjectError(f"subject {name}: no final norm among {FINAL_NORMS}; this architecture is not supported")
        self._norm: nn.Module = getattr(self._backbone, self._norm_name)
        config = model.config
        self.n_layers = len(self._block_list)
        self.d_model = int(config.hidden_size)
        self.vocab_size = int(config.vocab_size)
        self.max_tokens = int(getattr(config, "max_position_embeddings", 2048) or 2048)
        self._softcap: float | None = getattr(config, "final_logit_softcapping", None)
        self.eos_ids = _eos_ids(model, tokenizer)
        self.has_chat_template = bool(getattr(tokenizer, "chat_template", None))
        self._prefix_ids, self._suffix_ids = self._template_parts()

    # -- construction ------------------------------------------------------------------------------------------

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        name: str | None = None,
        adapter: str | Path | None = None,
        revision: str | None = None,
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> "HuggingFaceModel":
        """Load a directory or hub id (safetensors only, no remote code), with an optional LoRA adapter merged in.

        Raises SubjectError, one line, when files are missing, corrupt or not a causal LM.
        """
        name = name or str(path)
        options: dict[str, Any] = {"revision": revision} if revision else {}
        try:
            tokenizer = AutoTokenizer.from_pretrained(str(path), trust_remote_code=False, **options)
            model = AutoModelForCausalLM.from_pretrained(
                str(path), dtype=dtype, use_safetensors=True, trust_remote_code=False, **options
            )
        except Exception as error:  # the library raises a dozen types here; each means the subject cannot be used
            raise SubjectError(f"subject {name}: cannot load the model: {_first_line(error)}") from error
        if adapter is not None:
            model = _merge_adapter(model, adapter, name)
        return cls(model.to(device), tokenizer, name)

    # -- LanguageModel -----------------------------------------------------------------------------------------

    @property
    def device(self) -> torch.device:
        return self.model.device

    @property
    def dtype(self) -> torch.dtype:
        return self.model.dtype

    def encode_chat(self, text: str, earlier: Sequence[Exchange] = ()) -> ChatTokens:
        before, after, shared = self._prefix_ids, self._suffix_ids, len(self._prefix_ids)
        if earlier:
            *pieces, after = self._template_pieces(len(earlier))
            said = [self._plain_ids(words) for exchange in earlier for words in exchange]
            before = tuple(chain(pieces[0], *(chain(*pair) for pair in zip(said, pieces[1:], strict=True))))
            shared = shared if before[:shared] == self._prefix_ids else 0
        user = self._plain_ids(text)
        classes: list[PositionClass] = ["system"] * len(before)
        classes += ["instruction"] * len(user) + ["post_instruction"] * len(after)
        classes[0] = "sink"
        ids = (*before, *user, *after)
        # At least one token must follow the prefix: it is the onset position, where scores are read.
        return ChatTokens(ids, tuple(classes), min(shared, len(ids) - 1))

    def decode(self, ids: Sequence[int]) -> str:
        return str(self.tokenizer.decode(list(ids), skip_special_tokens=True))

    def token_text(self, token_id: int) -> str:
        return str(self.tokenizer.decode([token_id]))

    def token_id(self, text: str) -> int:
        return self._plain_ids(text)[0]

    def new_cache(self) -> DynamicCache:
        return roomy(DynamicCache(config=self.model.config))

    @torch.inference_mode()
    def run(
        self,
        start: Tensor,
        *,
        first_block: int = 0,
        edits: dict[int, BlockEdit] | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        cache: Any = None,
    ) -> Tensor:
        if first_block >= self.n_layers:
            return start
        with self._prepared(start if first_block else None, first_block, edits or {}):
            inputs = {"inputs_embeds": start} if first_block else {"input_ids": start}
            output = self._backbone(
                **inputs,
                attention_mask=attention_mask,
                position_ids=position_ids,
                past_key_values=cache,
                use_cache=cache is not None,
            )
        return output.last_hidden_state

    @torch.inference_mode()
    def unembed(self, residual: Tensor, norm_scale: Tensor | None = None) -> Tensor:
        normed = self._norm(residual.to(self.dtype))
        if norm_scale is not None:
            bias = getattr(self._norm, "bias", None)
            shift = 0.0 if bias is None else bias
            normed = ((normed - shift) * (self.norm_scale(residual) / norm_scale) + shift).to(self.dtype)
        logits = self.model.get_output_embeddings()(normed).float()
        if self._softcap:
            logits = torch.tanh(logits / self._softcap) * self._softcap
        return logits

    @torch.inference_mode()
    def norm_scale(self, residual: Tensor) -> Tensor:
        x = residual.float()
        if isinstance(self._norm, nn.LayerNorm):
            x = x - x.mean(-1, keepdim=True)
        eps = getattr(self._norm, "variance_epsilon", getattr(self._norm, "eps", 1e-6))
        return (x.pow(2).mean(-1, keepdim=True) + eps).sqrt()

    def disturbed(self, disturbance: Disturbance) -> DisturbedWeights:
        return DisturbedWeights(self._block_list, disturbance)

    @torch.inference_mode()
    def plain_logits(self, ids: Tensor) -> Tensor:
        return self.model(input_ids=ids, use_cache=False).logits.float()

    def block(self, layer: int) -> nn.Module:
        return self._block_list[layer]

    # -- inside ------------------------------------------------------------------------------------------------

    @contextmanager
    def _prepared(self, residual: Tensor | None, first_block: int, edits: dict[int, BlockEdit]) -> Iterator[None]:
        """Blocks skipped, edits hooked on, final norm by-passed; everything put back on leaving."""
        blocks = self._block_list
        originals = list(blocks[:first_block])
        with ExitStack() as undo:
            undo.callback(lambda: setattr(self._backbone, str(self._norm_name), self._norm))
            setattr(self._backbone, str(self._norm_name), nn.Identity())
            if originals:
                undo.callback(lambda: [blocks.__setitem__(i, block) for i, block in enumerate(originals)])
                as_tuple = self._blocks_return_tuples
                for i in range(first_block):
                    blocks[i] = _Skipped(residual if i == first_block - 1 else None, as_tuple)
            for layer, edit in edits.items():
                handle = blocks[layer].register_forward_hook(_edit_hook(edit))
                undo.callback(handle.remove)
            yield

    @property
    def _blocks_return_tuples(self) -> bool:
        if not hasattr(self, "_tuples"):
            seen: list[bool] = []
            handle = self._block_list[-1].register_forward_hook(lambda m, i, o: seen.append(isinstance(o, tuple)))
            try:
                with torch.inference_mode():
                    self._backbone(input_ids=torch.zeros(1, 1, dtype=torch.long, device=self.device), use_cache=False)
            finally:
                handle.remove()
            self._tuples = seen[0]
        return self._tuples

    def _plain_ids(self, text: str) -> list[int]:
        ids = self.tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
        return [int(i) for i in ids]

    def _template_pieces(self, earlier: int) -> list[tuple[int, ...]]:
        """Token ids before, between and after the texts of a chat with some earlier exchanges, tokenised apart so that
        every prompt shares the first piece."""
        texts = [f"{PLACEHOLDER}{i}{PLACEHOLDER}" for i in range(2 * earlier + 1)]
        if self.has_chat_template:
            roles = ["user", "assistant"] * earlier + ["user"]
            messages = [{"role": role, "content": text} for role, text in zip(roles, texts, strict=True)]
            rest = str(self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
        else:
            opening, answering = PLAIN_TEMPLATE
            chat = "".join(f"{opening}{q}{answering} {a}\n\n" for q, a in zip(texts[::2], texts[1::2], strict=False))
            rest = (self.tokenizer.bos_token or "") + chat + opening + texts[-1] + answering
        pieces = []
        for text in texts:
            piece, found, rest = rest.partition(text)
            if not found:
                what = "the user's text" if not earlier else "a turn of a chat"
                raise SubjectError(f"subject {self.name}: its chat template drops {what}; fix chat_template")
            pieces.append(piece)
        return [tuple(self.tokenizer(p, add_special_tokens=False)["input_ids"]) for p in [*pieces, rest]]

    def _template_parts(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Token ids before and after the user's text."""
        prefix, suffix = self._template_pieces(0)
        if not prefix:
            raise SubjectError(f"subject {self.name}: its chat template starts with the user's text, so no sink token")
        return prefix, suffix


def _edit_hook(edit: BlockEdit) -> Any:
    def hook(module: nn.Module, args: Any, output: Any) -> Any:
        residual = output[0] if isinstance(output, tuple) else output
        edited = edit(residual)
        if edited is None:
            return None
        return (edited, *output[1:]) if isinstance(output, tuple) else edited

    return hook


def _attribute(module: nn.Module, names: Sequence[str], what: str, subject: str) -> Any:
    for name in names:
        if hasattr(module, name):
            return getattr(module, name)
    raise SubjectError(f"subject {subject}: cannot find {what} among {names}; this architecture is not supported")


def _eos_ids(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    generation = getattr(model, "generation_config", None)
    eos = getattr(generation, "eos_token_id", None)
    ids = eos if isinstance(eos, list) else [eos]
    # A token that begins a text ends a response too: the model has gone on to another turn.
    return frozenset(int(i) for i in [*ids, tokenizer.eos_token_id, tokenizer.bos_token_id] if i is not None)


def _merge_adapter(model: PreTrainedModel, adapter: str | Path, name: str) -> PreTrainedModel:
    from peft import PeftModel

    try:
        return PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
    except Exception as error:
        raise SubjectError(f"subject {name}: cannot load adapter {adapter}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
