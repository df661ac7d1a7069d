"""Multi-task Gaussian processes: kernels, covariances between tasks, exact likelihoods and the estimator."""

from mtlref.gp.cells import Cells
from mtlref.gp.choice import Choice, choose_next
from mtlref.gp.classifier import MultiTaskGPClassifier
from mtlref.gp.coregional import Coregional
from mtlref.gp.kernels import Kernel, Product, Scale, Sum
from mtlref.gp.leave_out import LeftOut
from mtlref.gp.model import Model
from mtlref.gp.multi_task_gp import MultiTaskGP
from mtlref.gp.priors import Gamma, InverseGamma, LogNormal, Normal
from mtlref.gp.route import condition_on
from mtlref.gp.simple import Columns, Linear, White
from mtlref.gp.stationary import RBF, Matern12, Matern32, Matern52, Periodic, RationalQuadratic

__all__ = [
    "RBF",
    "Cells",
    "Choice",
    "Columns",
    "Coregional",
    "Gamma",
    "InverseGamma",
    "Kernel",
    "LeftOut",
    "Linear",
    "LogNormal",
    "Matern12",
    "Matern32",
    "Matern52",
    "Model",
    "MultiTaskGP",
    "MultiTaskGPClassifier",
    "Normal",
    "Periodic",
    "Product",
    "RationalQuadratic",
    "Scale",
    "Sum",
    "White",
    "choose_next",
    "condition_on",
]
