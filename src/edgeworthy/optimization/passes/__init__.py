"""Rules that rewrite a graph, one a file, all under the contract of :class:`Pass`.

The order matters: what is constant is found first, what is idle is taken out, then products stand
beside the batch norms and paddings that fold into them; what that leaves behind is swept up last.
"""

from edgeworthy.optimization.passes.base import (
    Pass,
    PassResult,
    Rewrite,
    Witness,
    changed,
    unchanged,
)
from edgeworthy.optimization.passes.constants_to_initializers import ConstantsToInitializers
from edgeworthy.optimization.passes.eliminate_dropout import EliminateDropout
from edgeworthy.optimization.passes.eliminate_identity import EliminateIdentity
from edgeworthy.optimization.passes.expand_hard_swish import ExpandHardSwish
from edgeworthy.optimization.passes.fix_default_inputs import FixDefaultInputs
from edgeworthy.optimization.passes.float_readers import FloatReaders
from edgeworthy.optimization.passes.float_results import FloatResults
from edgeworthy.optimization.passes.fold_batch_norm import FoldBatchNorm
from edgeworthy.optimization.passes.fold_channelwise import FoldChannelwise
from edgeworthy.optimization.passes.fold_constants import FoldConstants
from edgeworthy.optimization.passes.fold_padding import FoldPadding
from edgeworthy.optimization.passes.free_names import FreeNames
from edgeworthy.optimization.passes.fuse_gelu import FuseGelu
from edgeworthy.optimization.passes.gather_gemm import GatherGemm
from edgeworthy.optimization.passes.gather_hard_sigmoid import GatherHardSigmoid
from edgeworthy.optimization.passes.inline_functions import InlineFunctions
from edgeworthy.optimization.passes.integer_hard_sigmoid import IntegerHardSigmoid
from edgeworthy.optimization.passes.keep_float_weights import KeepFloatWeights
from edgeworthy.optimization.passes.name_nodes import NameNodes
from edgeworthy.optimization.passes.normalize_gemm import NormalizeGemm
from edgeworthy.optimization.passes.note_types import NoteTypes
from edgeworthy.optimization.passes.order_gelu import OrderGelu
from edgeworthy.optimization.passes.pool_means import PoolMeans
from edgeworthy.optimization.passes.raise_opset import RaiseOpset
from edgeworthy.optimization.passes.remove_dead_nodes import RemoveDeadNodes
from edgeworthy.optimization.passes.remove_unused_initializers import RemoveUnusedInitializers
from edgeworthy.optimization.passes.share_initializers import ShareInitializers
from edgeworthy.optimization.passes.store_float16 import StoreFloat16
from edgeworthy.optimization.passes.store_int8_tables import StoreInt8Tables
from edgeworthy.optimization.passes.store_int8_weights import StoreInt8Weights
from edgeworthy.optimization.passes.strip_descriptions import StripDescriptions
from edgeworthy.optimization.passes.unshare_initializers import UnshareInitializers

#: Makes any graph smaller and keeps its outputs.
CLEANING: tuple[Pass, ...] = (
    InlineFunctions(),
    FixDefaultInputs(),
    ConstantsToInitializers(),
    FoldConstants(),
    EliminateIdentity(),
    EliminateDropout(),
    GatherHardSigmoid(),
    PoolMeans(),
    GatherGemm(),
    FoldChannelwise(),
    FoldBatchNorm(),
    FoldChannelwise(),
    FoldPadding(),
    NormalizeGemm(),
    OrderGelu(),
    RemoveDeadNodes(),
    RemoveUnusedInitializers(),
)
#: Gets a clean float graph ready for the quantizer.
BEFORE_QUANTIZATION: tuple[Pass, ...] = (
    RaiseOpset(),
    ExpandHardSwish(),
    UnshareInitializers(),
    FreeNames(),
    NoteTypes(),
    NameNodes(),
)
#: Tidies up after it.
AFTER_QUANTIZATION: tuple[Pass, ...] = (
    IntegerHardSigmoid(),
    FloatResults(),
    FloatReaders(),
    FuseGelu(),
    KeepFloatWeights(),
    RemoveDeadNodes(),
    RemoveUnusedInitializers(),
)
#: Makes the file small.
PACKING: tuple[Pass, ...] = (ShareInitializers(), StripDescriptions())
#: Stores weights in fewer bytes, each in its own way; the last step of its recipe.
STORING: tuple[Pass, ...] = (StoreFloat16(), StoreInt8Tables(), StoreInt8Weights())

__all__ = [
    "AFTER_QUANTIZATION",
    "BEFORE_QUANTIZATION",
    "CLEANING",
    "PACKING",
    "STORING",
    "Pass",
    "PassResult",
    "Rewrite",
    "Witness",
    "changed",
    "unchanged",
]
