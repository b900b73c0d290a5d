"""`torch.nn.functional`: layers, activations and losses as functions, on those of `wengert.nn`."""

from wengert.dialects.torch.nn.functional_activations import *  # noqa: F403
from wengert.dialects.torch.nn.functional_layers import *  # noqa: F403
from wengert.dialects.torch.nn.functional_losses import *  # noqa: F403

SHARED = {
    "adaptive_avg_pool1d", "adaptive_max_pool1d", "avg_pool1d", "batch_norm", "bilinear",
    "binary_cross_entropy_with_logits", "celu", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d",
    "conv_transpose3d", "cosine_embedding_loss", "cosine_similarity", "dropout", "feature_dropout", "group_norm",
    "hardshrink", "hinge_embedding_loss", "instance_norm", "layer_norm", "margin_ranking_loss", "max_pool1d",
    "max_pool2d", "max_pool3d", "pairwise_distance", "pixel_shuffle", "pixel_unshuffle", "poisson_nll_loss", "prelu",
    "rms_norm", "selu", "threshold", "triplet_margin_loss",
}  # fmt: skip
"""The functions that are in the namespace above as well, with the same arguments."""
