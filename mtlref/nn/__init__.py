"""Neural multi-task learning with a backward pass by hand: architectures, heads, training, and estimators.

Nets hold sizes alone; parameters are flat dicts of arrays that are passed in and returned, so that every number can be
set, read and compared. ``forward``, ``loss_and_grad`` and ``jacobian`` take real or complex input, float32 or float64.
"""

from mtlref.nn.activations import ACTIVATIONS
from mtlref.nn.auxiliary import (
    Auxiliary,
    AuxiliaryTasks,
    DomainAdversary,
    InputsAsOutputs,
    Reconstruction,
)
from mtlref.nn.cross_stitch import CrossStitch
from mtlref.nn.estimators import (
    CrossStitchMLP,
    MMoEModel,
    MoEMLP,
    PLEModel,
    SharedLSTMModel,
    SharedMLP,
    SoftSharingMLP,
)
from mtlref.nn.gradient_check import GradientCheck, check_gradient
from mtlref.nn.heads import Binary, Head, Multiclass, Regression
from mtlref.nn.mixture_of_experts import MixtureOfExperts
from mtlref.nn.mmoe import MMoE
from mtlref.nn.net import Cache, Net
from mtlref.nn.optimizers import SGD, Adam, Momentum, Optimizer
from mtlref.nn.ple import PLE
from mtlref.nn.rankprop import Rankprop, rankprop_targets
from mtlref.nn.shared_bottom import SharedBottom
from mtlref.nn.shared_lstm import SharedLSTM
from mtlref.nn.soft_sharing import SoftSharing
from mtlref.nn.stepping import Stepper
from mtlref.nn.training import Batch, Ending, Trained, train

__all__ = [
    "ACTIVATIONS",
    "PLE",
    "SGD",
    "Adam",
    "Auxiliary",
    "AuxiliaryTasks",
    "Batch",
    "Binary",
    "Cache",
    "CrossStitch",
    "CrossStitchMLP",
    "DomainAdversary",
    "Ending",
    "GradientCheck",
    "Head",
    "InputsAsOutputs",
    "MMoE",
    "MMoEModel",
    "MixtureOfExperts",
    "MoEMLP",
    "Momentum",
    "Multiclass",
    "Net",
    "Optimizer",
    "PLEModel",
    "Rankprop",
    "Reconstruction",
    "Regression",
    "SharedBottom",
    "SharedLSTM",
    "SharedLSTMModel",
    "SharedMLP",
    "SoftSharing",
    "SoftSharingMLP",
    "Stepper",
    "Trained",
    "check_gradient",
    "rankprop_targets",
    "train",
]
