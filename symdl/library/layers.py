"""Layers by name, `sd.layers.conv2d`: functions that write the equations of a layer into the definition being written.

>>> from symdl.core.define import Input, Param, define
>>> @define
... def edges(x=Input("n c h w"), K=Param("o c r=3 s=3")):
...     return conv2d(x, K, padding=1)
>>> edges["y"].shape
(N, O, H, W)
"""

from symdl.library.activations import geglu as geglu, glu as glu, maxout as maxout, swiglu as swiglu
from symdl.library.attention import (
    attention as attention,
    multi_head as multi_head,
    rotary as rotary,
    rotation_table as rotation_table,
    sinusoidal as sinusoidal,
)
from symdl.library.composition import (
    concat as concat,
    dropout as dropout,
    flatten as flatten,
    reshape as reshape,
    residual as residual,
    upsample_bilinear as upsample_bilinear,
    upsample_linear as upsample_linear,
    upsample_nearest as upsample_nearest,
)
from symdl.library.convolution import (
    conv1d as conv1d,
    conv2d as conv2d,
    conv3d as conv3d,
    conv_transpose1d as conv_transpose1d,
    conv_transpose2d as conv_transpose2d,
    depthwise_conv1d as depthwise_conv1d,
    depthwise_conv2d as depthwise_conv2d,
    depthwise_conv3d as depthwise_conv3d,
)
from symdl.library.linear import bilinear as bilinear, embedding as embedding, linear as linear, lora as lora
from symdl.library.normalisation import (
    batch_norm as batch_norm,
    batch_norm_inference as batch_norm_inference,
    group_norm as group_norm,
    instance_norm as instance_norm,
    layer_norm as layer_norm,
    rms_norm as rms_norm,
    running_statistics as running_statistics,
    weight_norm as weight_norm,
)
from symdl.library.pooling import (
    adaptive_avg_pool1d as adaptive_avg_pool1d,
    adaptive_avg_pool2d as adaptive_avg_pool2d,
    avg_pool1d as avg_pool1d,
    avg_pool2d as avg_pool2d,
    global_avg_pool as global_avg_pool,
    max_pool1d as max_pool1d,
    max_pool2d as max_pool2d,
)
from symdl.library.recurrent import elman as elman, gru as gru, lstm as lstm
from symdl.library.sequential import dense as dense, sequential as sequential
from symdl.library.transformer import block_parameters as block_parameters, transformer_block as transformer_block
