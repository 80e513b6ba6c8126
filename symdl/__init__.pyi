# The public API, listed once: type checkers read this file, and so does symdl/__init__.py when it runs.
# `from .package import name as name` exports a function or a class, `from . import module as module` a module.

from . import errors as errors, rendering as rendering
from .compilation.compiled import Compiled as Compiled
from .compilation.counts import PlanCost as PlanCost, plan_cost as plan_cost
from .compilation.devices import Device as Device, devices as devices
from .compilation.memory import Memory as Memory
from .compilation.pipeline import compile as compile
from .core.define import (
    Hyper as Hyper,
    Input as Input,
    Param as Param,
    Sum as Sum,
    absolute as absolute,
    amax as amax,
    cos as cos,
    define as define,
    delta as delta,
    erf as erf,
    exp as exp,
    expm1 as expm1,
    in_range as in_range,
    index as index,
    let as let,
    log as log,
    log1p as log1p,
    maximum as maximum,
    mean as mean,
    minimum as minimum,
    new_index as new_index,
    prod as prod,
    sin as sin,
    sqrt as sqrt,
    state as state,
    switch as switch,
    symbol as symbol,
    tanh as tanh,
)
from .core.definitions import Definition as Definition
from .core.equations import Equation as Equation
from .core.files import ensure_folder as ensure_folder, write_text_atomic as write_text_atomic
from .core.indices import Index as Index
from .core.tensors import Tensor as Tensor
from .derivation.derive import derive as derive
from .derivation.forward import hvp as hvp, jvp as jvp
from .derivation.seeds import seeded as seeded, vjp as vjp
from .derivation.stable import stabilise as stabilise
from .derivation.steps import Derivation as Derivation, Step as Step
from .derivation.worked import Worked as Worked, work as work
from .errors import (
    CrossCheckError as CrossCheckError,
    DataError as DataError,
    DefinitionError as DefinitionError,
    DomainError as DomainError,
    KinkError as KinkError,
    MissingDependencyError as MissingDependencyError,
    NotProvedError as NotProvedError,
    OutputError as OutputError,
    ShapeError as ShapeError,
    SymdlError as SymdlError,
    UnsupportedError as UnsupportedError,
)
from .library import (
    initialisers as initialisers,
    layers as layers,
    losses as losses,
    optimisers as optimisers,
    regularisers as regularisers,
    schedules as schedules,
)
from .library.activations import (
    identity as identity,
    leaky_relu as leaky_relu,
    log_softmax as log_softmax,
    relu as relu,
    sigmoid as sigmoid,
    softmax as softmax,
    softmin as softmin,
)
from .library.definitions import definition as definition, definitions as definitions
from .library.losses import (
    Loss as Loss,
    cross_entropy as cross_entropy,
    l1 as l1,
    l2 as l2,
)
from .library.optimisers import (
    Optimizer as Optimizer,
    adadelta as adadelta,
    adagrad as adagrad,
    adam as adam,
    adamw as adamw,
    amsgrad as amsgrad,
    clip_norm as clip_norm,
    clip_value as clip_value,
    lbfgs as lbfgs,
    lion as lion,
    momentum as momentum,
    nadam as nadam,
    nesterov as nesterov,
    radam as radam,
    rmsprop as rmsprop,
    sgd as sgd,
)
from .library.regularisers import regularised as regularised
from .library.sequential import dense as dense, dropout as dropout, sequential as sequential
from .rendering import describe as describe, html as html, latex as latex, markdown as markdown, write as write
from .rendering.growth import growth as growth, plot_growth as plot_growth
from .rendering.report import graph_figure as graph_figure, report as report
from .rendering.writers.tex import to_tex as to_tex
from .testing.digits import (
    Digits as Digits,
    DigitsWarning as DigitsWarning,
    activation as activation,
)
from .testing.handwritten import CodeVerdict as CodeVerdict, check_code as check_code
from .testing.lossdigits import digits as digits, loss as loss
from .testing.portraits import portrait as portrait
from .testing.records import Accuracy as Accuracy, sweep_table as sweep_table
from .testing.sweep import sweep as sweep, swept as swept
from .training.classification import (
    accuracy as accuracy,
    confusion_matrix as confusion_matrix,
    f1 as f1,
    iou as iou,
    precision as precision,
    recall as recall,
    roc_auc as roc_auc,
    top_k as top_k,
)
from .training.data import (
    Split as Split,
    load_digits as load_digits,
    one_hot as one_hot,
    read_csv as read_csv,
    split as split,
)
from .training.detection import box_iou as box_iou, mean_average_precision as mean_average_precision
from .training.fit import Fit as Fit, load_parameters as load_parameters
from .training.loop import train as train
from .training.many import ManyFits as ManyFits, train_many as train_many
from .training.metrics import mae as mae, mse as mse, r2 as r2, rmse as rmse
from .training.plots import plot_confusion as plot_confusion, plot_history as plot_history
from .training.stopping import early_stopping as early_stopping
from .verification.claims import check_function as check_function, recheck as recheck
from .verification.coq import (
    derivative_by_coq as derivative_by_coq,
    proof_file as proof_file,
    provable as provable,
    prove as prove,
    proved_by_coq as proved_by_coq,
)
from .verification.decide import equal as equal
from .verification.judging.check import check as check
from .verification.judging.report import Judged as Judged, Link as Link, Report as Report
from .verification.properties import Properties as Properties, properties as properties
from .verification.verdict import Status as Status, Verdict as Verdict

__version__: str
