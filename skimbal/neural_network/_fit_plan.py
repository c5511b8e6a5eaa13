"""What a fit will do: loss, costs, sampler, scorer, seeds; checked before anything is trained."""

import warnings
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import torch

from skimbal._training.early_stopping import EarlyStopping, ValidationSet
from skimbal._training.inputs import dtype_name, to_tensors
from skimbal._training.job import TrainingPlan
from skimbal._training.losses import is_formula
from skimbal._training.net import make_callbacks
from skimbal._training.optimizer import OPTIMIZERS
from skimbal._training.row_order import checked_share
from skimbal._training.schedules import SCHEDULES
from skimbal._utils._labels import matrix_by_label
from skimbal._utils._torch import resolve_device
from skimbal._utils._validation import check_cost_matrix, unknown_name_message
from skimbal._utils._warnings import warn
from skimbal.exceptions import BalancedTwiceWarning, NonFiniteLossError
from skimbal.losses import BoundLoss, Formula, class_weight_vector, resolve_loss
from skimbal.metrics import check_class_scorer, get_scorer, inverse_frequency_cost_matrix
from skimbal.modules import NormalizedLinear, OwnNetwork
from skimbal.neural_network._by_rows import resolve_batch_size
from skimbal.neural_network._prior import check_probabilities_option, final_log_prior_ratio
from skimbal.sampling import resolve_batches

# Batches of one class, as a part of all, above which a loss that compares classes warns.
MAX_SINGLE_CLASS_BATCHES = 0.1


@dataclass
class FitPlan:
    """The settings of an estimator for one training set.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
    counts : ndarray of shape (n_classes,)
        Sample-weighted number of samples of each class, those for validation among them.
    loss_value : BaseLoss
    loss : torch.nn.Module
        The loss, bound to counts, class weights and costs.
    costs : ndarray of shape (n_classes, n_classes) or None
    scorer : callable or None
    training : TrainingPlan
    callbacks : list
        Of skorch callbacks.
    """

    classes: np.ndarray
    counts: np.ndarray
    loss_value: Any
    loss: torch.nn.Module
    costs: np.ndarray | None
    scorer: Callable | None
    training: TrainingPlan
    callbacks: list

    @property
    def decision_costs(self):
        """The costs that decide; costs that the network learns by are in its answers already."""
        return None if self.loss_value.needs_costs else self.costs


def depends_on_counts(estimator):
    """Whether class weights, costs or the loss are made from class counts."""
    return (
        isinstance(estimator.class_weight, str)
        or isinstance(getattr(estimator, "pretrain_class_weight", None), str)
        or isinstance(estimator.cost_matrix, str)
        or resolve_loss(estimator.loss).needs_counts
    )


def make_fit_plan(estimator, classes, counts, rng, *, n_rows, is_weighted, has_validation):
    """Check and resolve the settings of a network for classes with these counts."""
    if isinstance(estimator.optimizer, str) and estimator.optimizer not in OPTIMIZERS:
        raise ValueError(unknown_name_message("optimizer", estimator.optimizer, OPTIMIZERS))
    device = resolve_device(estimator.device)
    sampler, share, costs = None, None, None
    if estimator.sampler is not None:
        sampler = resolve_batches(estimator.sampler)
        share = checked_share(sampler, counts, 1, estimator.max_epochs)
    if estimator.cost_matrix is not None:
        costs = resolve_costs(estimator.cost_matrix, classes, counts)
    value = resolve_loss(estimator.loss)
    loss = bind_loss(value, classes, counts, costs, estimator.class_weight)
    if value.uses_logits and not (is_formula(loss) and is_ours(value)):
        try_loss(value, loss, len(classes), is_weighted=is_weighted)
    if value.oversamples and sampler is not None:
        warn(
            f"loss={value!r} makes up for the imbalance of the classes, and "
            f"sampler={estimator.sampler!r} changes their frequencies too, so the balance counts "
            "twice; use sampler=None",
            BalancedTwiceWarning,
        )
    batch_size = resolve_batch_size(estimator.batch_size, n_rows)
    if value.compares_classes:
        warn_of_batches_of_one_class(value, counts, share, batch_size)
    check_probabilities_option(estimator, loss, classes)
    is_balanced_later = value.needs_costs or estimator.probabilities == "data"
    if isinstance(estimator.cost_matrix, str) and not is_balanced_later:
        warn_of_balance(estimator, value, loss)
    return FitPlan(
        classes,
        counts,
        value,
        loss,
        costs,
        scorer=make_scorer_of_classes(estimator.scoring, classes),
        training=make_training_plan(estimator, device, sampler, value, batch_size, rng),
        callbacks=make_callbacks(
            estimator.callbacks,
            has_validation=has_validation,
            schedule=estimator.learning_rate_schedule,
        ),
    )


def make_scorer_of_classes(scoring, classes):
    """Return the scorer, None for None, or raise a ValueError if it can't score these classes."""
    if scoring is None:
        return None
    scorer = get_scorer(scoring)
    check_class_scorer(scorer, classes)
    return scorer


def make_training_plan(estimator, device, sampler, loss_value, batch_size, rng):
    """What the training loop needs to know, with generators of random numbers of its own."""
    for name in ("learning_rate", "weight_decay"):
        check_step_setting(name, getattr(estimator, name))
    seeds = rng.randint(2**31 - 1, size=3).tolist()
    schedule = estimator.learning_rate_schedule
    return TrainingPlan(
        optimizer=estimator.optimizer,
        learning_rate=estimator.learning_rate,
        weight_decay=estimator.weight_decay,
        batch_size=batch_size,
        max_epochs=estimator.max_epochs,
        mixup=estimator.mixup,
        device=device,
        generator=torch.Generator().manual_seed(seeds[0]),
        noise_generator=torch.Generator(device).manual_seed(seeds[1]),
        augmentation_generator=torch.Generator().manual_seed(seeds[2]),
        schedule=SCHEDULES[schedule] if isinstance(schedule, str) else schedule,
        sampler=sampler,
        needs_features=loss_value.needs_features,
        learning_rates=resolve_learning_rates(getattr(estimator, "learning_rates", None)),
    )


def resolve_learning_rates(given):
    """Learning rates by pattern of parameter names, as pairs for the module as it is trained."""
    pairs = []
    for pattern, rate in (given or {}).items():
        is_rate = isinstance(rate, Real) and not isinstance(rate, bool) and float(rate) > 0
        if not isinstance(pattern, str) or not is_rate:
            raise ValueError(
                f"learning_rates has {pattern!r}: {rate!r}; it maps patterns of parameter names, "
                "such as 'backbone.*', to learning rates above 0"
            )
        check_step_setting("learning_rates", rate)
        pairs.append((f"network.{pattern}", float(rate)))
    return tuple(pairs)


def check_step_setting(name, value):
    """Raise a ValueError for a setting of the optimizer that its numbers can't hold."""
    limit = torch.finfo(torch.get_default_dtype()).max
    if value > limit:
        raise ValueError(f"{name}={value:g} is beyond the {limit:.3g} of {dtype_name()}; lower it")


def resolve_costs(cost_matrix, classes, counts):
    """The cost matrix as an array in the order of the classes."""
    if isinstance(cost_matrix, str):
        return inverse_frequency_cost_matrix(counts)
    return check_cost_matrix(matrix_by_label(cost_matrix, classes, "cost_matrix"), len(counts))


def bind_loss(value, classes, counts, costs, class_weight):
    """Bind a loss to the class counts, weights and costs of the training data."""
    weight = None
    if class_weight is not None:
        weight = class_weight_vector(class_weight, classes, counts)
    if weight is not None and value.weights_classes:
        raise ValueError(
            f"loss={value!r} weights the classes itself; with class_weight={class_weight!r} the "
            "two would multiply: leave one of them out"
        )
    check_range_of("class_weight", weight)
    if value.needs_costs:
        check_range_of("cost_matrix", costs)
    loss = value.bind(counts, class_weight=weight, cost_matrix=costs)
    if is_ours(value):
        check_buffers(value, loss, counts)
    return loss


def check_range_of(name, given):
    """Raise a ValueError for numbers that are infinite, or all 0, in the type of the training."""
    if given is None:
        return
    narrow = torch.as_tensor(given, dtype=torch.get_default_dtype())
    if not (narrow.isfinite().all() and narrow.any()):
        raise ValueError(
            f"{name} {given.tolist()} has no finite numbers, or none but 0, in {dtype_name()}, in "
            "which networks are trained; divide it by its largest number"
        )


def check_buffers(value, loss, counts):
    """Raise a ValueError if numbers that a loss makes from the class counts are not finite."""
    for part in (loss, getattr(loss, "per_sample", None)):
        if not isinstance(part, (BoundLoss, Formula)):
            continue
        for name, numbers in part.named_buffers(recurse=False):
            if not numbers.isfinite().all():
                raise ValueError(
                    f"loss={value!r} makes {name} {numbers.tolist()} from the class counts "
                    f"{counts.tolist()}, which is beyond {dtype_name()}; leave out classes without "
                    "weight, or change the parameters of the loss"
                )


def is_ours(value):
    """Whether a loss is one of this package, which needs no trial."""
    return type(value).__module__.startswith("skimbal.losses.") and not hasattr(value, "module")


def try_loss(value, loss, n_classes, *, is_weighted):
    """Call a loss on made-up logits, so that one that does not fit is refused before any training.

    There are more rows than classes, so that shapes which fit by chance don't. A loss is finite, is
    lower if the true classes have the largest logits than if they have the smallest, has a lower
    bound, and has a gradient.
    """
    loss = deepcopy(loss)  # it may change tensors of its own
    target = torch.arange(2 * n_classes + 1) % n_classes
    draws = torch.Generator().manual_seed(0)
    random = torch.randn(len(target), n_classes, generator=draws)
    right = torch.nn.functional.one_hot(target, n_classes).to(random.dtype)
    weight = torch.ones(len(target)) if is_weighted else None
    values, gradients = [], []
    for logits in (random, 10.0 * random, 3.0 * right, -3.0 * right, 1e3 * right, 1e4 * right):
        result, gradient = _called(loss, value, logits, target, weight)
        values.append(result)
        gradients.append(gradient)
    if isinstance(loss, BoundLoss):  # says itself what is wrong with weights and shapes
        with torch.no_grad():
            loss(random, target, weight)
    if not np.isfinite(values[0]):
        raise unfit_loss(value, f"gives: the loss is {values[0]}", NonFiniteLossError)
    _, _, good, bad, high, higher = values
    if good >= bad:
        raise unfit_loss(value, f"is {good:g} for right answers and {bad:g} for wrong ones")
    if higher < 5.0 * high < 0.0:
        raise unfit_loss(value, f"is {higher:g} for large logits and has no lower bound")
    if not any(gradient is not None and gradient.any() for gradient in gradients):
        raise unfit_loss(
            value,
            "has no gradient, so nothing can be learned from it: it may count mistakes, or leave "
            "torch with detach(), item() or numpy()",
        )


def _called(loss, value, logits, target, weight):
    """The mean loss of logits as a float and its gradient, which is None for a loss without one.

    A ValueError says what does not fit.
    """
    logits = logits.clone().requires_grad_()
    given = [logits.clone(), target.clone()]  # a copy can be changed in place, which is told below
    if not isinstance(loss, BoundLoss):
        given += [weight, *(given[:1] if value.needs_features else [])]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's, of shapes that are broadcast
        try:
            result = (loss.per_sample if isinstance(loss, BoundLoss) else loss)(*given)
        except Exception as error:
            raise unfit_loss(value, f"raises {type(error).__name__}: {error}") from error
    if not isinstance(result, torch.Tensor):
        raise unfit_loss(value, f"returns {type(result).__name__}, not a tensor")
    if not (torch.equal(given[0], logits) and torch.equal(given[1], target)):
        raise unfit_loss(value, "changes what it is given, in place; let it change a copy")
    if not isinstance(loss, BoundLoss) and result.ndim:
        raise unfit_loss(value, f"returns shape {tuple(result.shape)}, not one number")
    if not result.is_floating_point():
        kind = str(result.dtype).removeprefix("torch.")
        raise unfit_loss(value, f"returns numbers of type {kind}, not floats")
    mean = result.double().mean()
    gradient = None
    if mean.requires_grad:
        (gradient,) = torch.autograd.grad(mean, logits, allow_unused=True)
    return mean.item(), gradient


def unfit_loss(value, what, error=ValueError):
    """The error for a loss that is none of logits and class indices."""
    return error(
        f"loss={value!r} does not fit: called with logits (n_samples, n_classes), before any "
        f"softmax, and class indices (n_samples,), it {what}. Use a name or value of "
        'skimbal.losses, such as "cross_entropy", or a module that takes logits and indices, such '
        'as torch.nn.CrossEntropyLoss(reduction="none")'
    )


def warn_of_balance(estimator, value, loss):
    """Warn where the network balances the classes, and decides by their inverse frequencies too."""
    weight = None if estimator.class_weight is None else getattr(loss, "class_weight", None)
    if weight is not None and len(weight.unique()) > 1:
        reason = f"class_weight={estimator.class_weight!r}"
    elif estimator.sampler is not None:
        reason = f"sampler={estimator.sampler!r}"
    elif value.weights_classes or value.needs_counts:
        reason = f"loss={value!r}"
    else:
        return
    warn(
        f"cost_matrix={estimator.cost_matrix!r} makes up for the imbalance of the classes, but the "
        f"network does so already: {reason}. The balance counts twice. Leave one of the two out, "
        "or use TunedCostClassifierCV, which measures the balance on samples that it holds out",
        BalancedTwiceWarning,
    )


def warn_of_batches_of_one_class(value, counts, share, batch_size):
    """Warn where many batches hold one class, of which a loss that compares classes is 0.

    Their part is sum_c p_c^b for b rows a batch and the shares p_c of the classes.
    """
    if share is None:
        share = counts / counts.sum()
        if batch_size >= counts.sum():
            return
    part = (share**batch_size).sum()
    if part > MAX_SINGLE_CLASS_BATCHES:
        warnings.warn(
            f"loss={value!r} compares classes, but about {part:.0%} of the batches of {batch_size} "
            'samples hold one class, and teach nothing; raise batch_size or use sampler="balanced"',
            stacklevel=2,
        )


def final_loss(value, estimator, plan):
    """Bind a loss once more, with the class weights that its schedule ends with."""
    loss = bind_loss(value, plan.classes, plan.counts, plan.costs, estimator.class_weight)
    if hasattr(loss, "set_epoch"):
        loss.set_epoch(estimator.max_epochs, estimator.max_epochs)
    return loss


def final_class_factor(sampler, loss, counts, n_epochs):
    """How many times more often a sampler draws a class in the last epoch than the data have it.

    None for a loss that returns one number for a batch, because it takes no weights. A sampler by
    the F1 of the classes counts with the shares for classes that are equally bad.
    """
    if sampler is None:
        return None
    valid_f1 = np.zeros(len(counts)) if sampler.needs_validation else None
    share = checked_share(sampler, counts, n_epochs, n_epochs, valid_f1)
    if share is None or not can_weight(loss, len(counts)):
        return None
    return torch.as_tensor(share * counts.sum() / counts, dtype=torch.get_default_dtype())


def can_weight(loss, n_classes):
    """Whether a bound loss takes weights of the samples."""
    target = torch.arange(n_classes)
    try:
        with torch.no_grad():
            deepcopy(loss)(torch.zeros(n_classes, n_classes), target, torch.ones(n_classes))
    except ValueError:
        return False
    return True


def make_early_stopping(estimator, plan, inputs, data, patience, *, is_held_out):
    """Judge every epoch on prepared inputs and their labels, by what the network is trained for.

    Held-out data decide when the training ends, if there is a patience, a number of epochs; on
    training data only `scoring` is recorded.
    """
    value = plan.loss_value
    if value.needs_features:  # a loss of all pairs of a batch: a whole set has too many
        value = value.unweighted()
    loss = final_loss(value, estimator, plan)
    device, sampler = plan.training.device, plan.training.sampler
    factor = final_class_factor(sampler, loss, plan.counts, estimator.max_epochs)
    X, target, *weight = to_tensors(inputs, data.targets, data.sample_weight, device=device)
    evaluate = ValidationSet(
        X,
        target.long(),
        weight[0] if weight else None,
        loss=loss.to(device),
        scorer=plan.scorer,
        classes=plan.classes,
        cost_matrix=plan.decision_costs,
        needs_features=value.needs_features,
        wants_f1=sampler is not None and sampler.needs_validation,
        class_factor=None if factor is None else factor.to(device),
        log_prior_ratio=final_log_prior_ratio(estimator, plan.counts, loss),
    )
    return EarlyStopping(evaluate, patience, is_held_out=is_held_out)


def has_features(module):
    """Whether a module has a last layer that can be told from the rest."""
    return not isinstance(module, OwnNetwork) or module.head is not None


def featureless(value, reason):
    """The error for a loss that needs the last layer of a module that has none."""
    return ValueError(
        f"loss={value!r} {reason}, but the logits of the network are not the output of a "
        "torch.nn.Linear. Let the network end in one, which is called once and whose output is "
        "returned as it is, or use another loss"
    )


def finish_module(module, plan):
    """Give a module the last layer that the loss asks for, and put it on its device."""
    training, value = plan.training, plan.loss_value
    if value.needs_features and not has_features(module):
        raise featureless(value, "compares the features before the last layer")
    if value.head == "normalized":
        if not has_features(module):
            raise featureless(value, "has a last layer of its own")
        n_features, n_classes = module.output.in_features, len(plan.classes)
        layer = NormalizedLinear(n_features, n_classes, value.scale, training.generator)
        module.replace_output(layer)
    return module.to(training.device, torch.get_default_dtype())
