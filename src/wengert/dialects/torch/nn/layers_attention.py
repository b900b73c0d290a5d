"""Attention with several heads, and the layers of transformers, as modules."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.box import bare
from wengert.dialects.torch import creation
from wengert.dialects.torch.errors import MissingError, OptionError
from wengert.dialects.torch.nn import functional as F
from wengert.dialects.torch.nn import init
from wengert.dialects.torch.nn.containers import ModuleList
from wengert.dialects.torch.nn.layers_linear import Linear
from wengert.dialects.torch.nn.layers_norm import Dropout, LayerNorm
from wengert.dialects.torch.nn.module import Module
from wengert.dialects.torch.nn.parameter import Parameter
from wengert.dialects.torch.tensor import Tensor
from wengert.nn.attention import attention, attention_weights, merge_heads, split_heads

__all__ = [
    "MultiheadAttention",
    "Transformer",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
]


class NonDynamicallyQuantizableLinear(Linear):
    """A `Linear`, under the name that attention's last map has."""


def _additive(mask: Tensor | None, dtype: Any) -> Any:
    """A mask whose truth values, which hide keys, are made minus infinity."""
    if mask is None or mask._spec.dtype.kind != "b":
        return mask
    return Tensor._box(np.where(bare(mask), -np.inf, 0.0).astype(dtype))


class MultiheadAttention(Module):
    """Attention of several heads, each on linear maps of its own; see `wengert.nn.attention`."""

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if embed_dim % num_heads:
            raise OptionError(f"[MultiheadAttention] embed_dim must be divisible by num_heads: {embed_dim}/{num_heads}")
        if add_bias_kv or add_zero_attn:
            raise MissingError("[MultiheadAttention] add_bias_kv and add_zero_attn are not supported; leave them out")
        self.embed_dim, self.num_heads, self.dropout, self.batch_first = embed_dim, num_heads, dropout, batch_first
        self.kdim, self.vdim = kdim or embed_dim, vdim or embed_dim
        self._same = self.kdim == self.vdim == embed_dim
        shapes = {"in_proj_weight": (3 * embed_dim, embed_dim)}
        if not self._same:
            shapes = {"q_proj_weight": (embed_dim, embed_dim), "k_proj_weight": (embed_dim, self.kdim)}
            shapes["v_proj_weight"] = (embed_dim, self.vdim)
        for name in ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight"):
            value = Parameter(creation.empty(shapes[name], dtype=dtype)) if name in shapes else None
            self.register_parameter(name, value)
        self.register_parameter("in_proj_bias", Parameter(creation.empty(3 * embed_dim, dtype=dtype)) if bias else None)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias, dtype=dtype)
        for name in shapes:
            init.xavier_uniform_(getattr(self, name))
        if bias:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple:
        """Attend; gives the results, and the weights if they are needed (averaged over the heads, or not)."""
        if is_causal and attn_mask is None:
            raise OptionError("[MultiheadAttention] need attn_mask if specifying the is_causal hint")
        batched = query.ndim == 3
        if batched and not self.batch_first:
            query, key, value = (x.transpose(0, 1) for x in (query, key, value))
        q, k, v = (split_heads(x, self.num_heads) for x in self._maps(query, key, value))
        mask = _additive(attn_mask, query._spec.dtype)
        if mask is not None and mask.ndim == 3:
            mask = mask.reshape(-1, self.num_heads, *mask.shape[1:])
        hidden = _additive(key_padding_mask, query._spec.dtype)
        if hidden is not None:
            hidden = hidden[:, None, None, :] if batched else hidden
            mask = hidden if mask is None else mask + hidden
        drop = (lambda w: F.dropout(w, self.dropout)) if self.training and self.dropout else None
        y = self.out_proj(merge_heads(attention(q, k, v, mask, dropout=drop)))
        weights = attention_weights(q, k, mask) if need_weights else None
        if weights is not None and average_attn_weights:
            weights = np.mean(weights, axis=-3)
        return y.transpose(0, 1) if batched and not self.batch_first else y, weights

    def _maps(self, *inputs: Tensor) -> list:
        """Query, key and value after their linear maps."""
        e = self.embed_dim
        names = ("q_proj_weight", "k_proj_weight", "v_proj_weight")
        parts = [self.in_proj_weight[i * e : (i + 1) * e] for i in range(3)] if self._same else None
        weights = parts or [getattr(self, name) for name in names]
        biases = [None if self.in_proj_bias is None else self.in_proj_bias[i * e : (i + 1) * e] for i in range(3)]
        return [F.linear(x, w, b) for x, w, b in zip(inputs, weights, biases, strict=True)]


# Transformers ----------------------------------------------------------------------------------------------------


class _Layer(Module):
    """What encoder and decoder layers share: two linear maps, normalisations, dropout, and sums around each block."""

    attentions: tuple[str, ...]

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        for name in self.attentions:
            self.add_module(
                name, MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, dtype=dtype)
            )
        self.linear1 = Linear(d_model, dim_feedforward, bias, dtype=dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, dtype=dtype)
        self.norm_first = norm_first
        blocks = range(1, len(self.attentions) + 2)
        for i in blocks:
            self.add_module(f"norm{i}", LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype))
        for i in blocks:
            self.add_module(f"dropout{i}", Dropout(dropout))
        if isinstance(activation, str):
            if activation not in ("relu", "gelu"):
                raise OptionError(f"[Transformer] activation should be relu/gelu, not {activation}")
            activation = getattr(F, activation)
        self.activation = activation

    def _block(self, x: Tensor, i: int, function: Callable) -> Tensor:
        """The sum of `x` and what a block makes of it, normalised before or after."""
        norm, dropout = getattr(self, f"norm{i}"), getattr(self, f"dropout{i}")
        return x + dropout(function(norm(x))) if self.norm_first else norm(x + dropout(function(x)))

    def _feed(self, x: Tensor) -> Tensor:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


class TransformerEncoderLayer(_Layer):
    """Attention of a sequence to itself, and two linear maps."""

    attentions = ("self_attn",)

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Run the layer."""

        def attend(x: Tensor) -> Tensor:
            return self.self_attn(x, x, x, src_key_padding_mask, False, src_mask, is_causal=is_causal)[0]

        return self._block(self._block(src, 1, attend), 2, self._feed)


class TransformerDecoderLayer(_Layer):
    """Attention of a sequence to itself and to another one, and two linear maps."""

    attentions = ("self_attn", "multihead_attn")

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Run the layer."""

        def attend(x: Tensor) -> Tensor:
            return self.self_attn(x, x, x, tgt_key_padding_mask, False, tgt_mask, is_causal=tgt_is_causal)[0]

        def look(x: Tensor) -> Tensor:
            return self.multihead_attn(x, memory, memory, memory_key_padding_mask, False, memory_mask)[0]

        return self._block(self._block(self._block(tgt, 1, attend), 2, look), 3, self._feed)


class TransformerEncoder(Module):
    """Copies of a layer one after another."""

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(encoder_layer) for _ in range(num_layers)])
        self.num_layers, self.norm = num_layers, norm

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """Run the layers."""
        for layer in self.layers:
            src = layer(src, src_mask=mask, src_key_padding_mask=src_key_padding_mask)
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(Module):
    """Copies of a layer one after another."""

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(decoder_layer) for _ in range(num_layers)])
        self.num_layers, self.norm = num_layers, norm

    def forward(self, tgt: Tensor, memory: Tensor, *args: Any, **masks: Any) -> Tensor:
        """Run the layers; the masks are those of `TransformerDecoderLayer`."""
        masks.pop("tgt_is_causal", None)
        for layer in self.layers:
            tgt = layer(tgt, memory, *args, **masks)
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """An encoder, and a decoder that looks at what it gives (Vaswani et al. 2017)."""

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable = F.relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        sizes = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias)

        def norm() -> LayerNorm:
            return LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)

        self.encoder = custom_encoder or TransformerEncoder(
            TransformerEncoderLayer(*sizes, dtype=dtype), num_encoder_layers, norm()
        )
        self.decoder = custom_decoder or TransformerDecoder(
            TransformerDecoderLayer(*sizes, dtype=dtype), num_decoder_layers, norm()
        )
        for p in self.parameters():
            if p.ndim > 1:
                init.xavier_uniform_(p)
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Encode one sequence, and decode the other with it."""
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask)
        masks = (tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask)
        return self.decoder(tgt, memory, *masks)

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """A mask that hides what comes later."""
        return creation.full((sz, sz), -np.inf, dtype=dtype, device=device).triu(1)
