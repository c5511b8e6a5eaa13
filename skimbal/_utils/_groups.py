"""Groups of samples that belong together: patients, machines, recordings, copies of one row.

Nothing that holds samples out puts samples of one group on both sides. Pure functions on groups
that are numbered 0, 1, 2 and so on; estimators are asked whether they take groups.
"""

from contextlib import suppress

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils._missing import is_pandas_na
from sklearn.utils.metadata_routing import _routing_enabled, get_routing_for_object
from sklearn.utils.validation import has_fit_parameter

from skimbal._utils._early_stopping import stops_early
from skimbal._utils._labels import place_of_rows
from skimbal._utils._warnings import warn

MAX_DRAWS = 100
ROUTING = "turn on metadata routing, sklearn.set_config(enable_metadata_routing=True)"


def check_groups(groups, y):
    """Return the number of each sample's group, from 0 in sorted order, or None for None.

    Parameters
    ----------
    groups : array-like of shape (n_samples,) or None
        Names of the groups: numbers, strings, tuples or other objects that have a hash.
    y : array-like of shape (n_samples,)

    Returns
    -------
    ndarray of int of shape (n_samples,) or None

    Raises
    ------
    ValueError
        For another shape, a group that is missing (None or NaN), or names that have no hash.

    Examples
    --------
    >>> check_groups(["b", "a", "b"], [0, 1, 1])
    array([1, 0, 1])
    """
    if groups is None:
        return None
    if isinstance(groups, str):
        raise ValueError(
            f"groups={groups!r} is a name; give the group of each sample, such as X[{groups!r}]"
        )
    groups = _as_names(groups)
    if groups.shape != (len(y),):
        raise ValueError(
            f"groups has shape {groups.shape}, but y has {len(y)} samples; give one group for each "
            "sample (a resampler in a pipeline changes the samples: groups cannot pass it)"
        )
    if groups.dtype == object:  # NaN and NaT differ from themselves
        n_missing = sum(g is None or is_pandas_na(g) or g != g for g in groups.tolist())
    else:
        n_missing = np.count_nonzero(groups != groups)
    if n_missing:
        raise ValueError(
            f"groups has {n_missing} missing entries (None or NaN); give every sample a group, a "
            "sample without a group one of its own"
        )
    return _numbers_of(groups)


def _as_names(groups):
    """Groups as an array of one name each; tuples are names."""
    if isinstance(groups, list | tuple):
        return np.fromiter(groups, dtype=object, count=len(groups))
    # In an array of text, 1 and "1" would be one group.
    return np.asarray(groups) if hasattr(groups, "dtype") else np.array(groups, dtype=object)


def _numbers_of(groups):
    """The number of each name: in sorted order where the names have one, else by appearance."""
    if groups.dtype != object:
        return np.unique(groups, return_inverse=True)[1].reshape(-1)
    try:  # by equality, because not all names that can be compared have one order
        names = list(dict.fromkeys(groups.tolist()))
    except TypeError as error:
        raise ValueError(
            f"groups has names that cannot be told apart ({error}); use numbers, text or tuples"
        ) from error
    with suppress(TypeError):  # names of several types
        names = sorted(names)
    numbers = {name: number for number, name in enumerate(names)}
    return np.array([numbers[name] for name in groups.tolist()], dtype=int)


def groups_by_class(targets, groups):
    """Return the sorted groups of each class, a list of ndarray of int.

    >>> [own.tolist() for own in groups_by_class(np.array([0, 1, 0]), np.array([4, 4, 2]))]
    [[2, 4], [4]]
    """
    return [np.unique(groups[targets == c]) for c in range(targets.max() + 1)]


def class_of_group(targets, groups):
    """Return the class of each group where every group has a single class, else None.

    >>> class_of_group(np.array([0, 1, 1]), np.array([1, 0, 0]))
    array([1, 0])
    >>> class_of_group(np.array([0, 1, 1]), np.array([0, 0, 1])) is None
    True
    """
    _, first, numbers = np.unique(groups, return_index=True, return_inverse=True)
    classes = targets[first]
    return classes if np.array_equal(classes[numbers], targets) else None


def held_out_groups(targets, groups, fraction, rng):
    """Draw groups to hold out, so that every class is on both sides.

    Parameters
    ----------
    targets : ndarray of int of shape (n_samples,)
        Classes, 0, 1 and so on.
    groups : ndarray of int of shape (n_samples,)
    fraction : float in (0, 1)
        Of the groups of each class; at least one, and not all.
    rng : RandomState

    Returns
    -------
    ndarray of int or None
        The groups; None where no draw leaves every class on both sides.
    """
    by_class = groups_by_class(targets, groups)
    numbers = [int(np.clip(round(fraction * len(own)), 1, len(own) - 1)) for own in by_class]
    if class_of_group(targets, groups) is not None:
        drawn = [rng.permutation(own)[:n] for own, n in zip(by_class, numbers, strict=True)]
        return np.concatenate(drawn)
    classes_of: dict[int, list] = {}
    for c, own in enumerate(by_class):
        for group in own.tolist():
            classes_of.setdefault(group, []).append(c)
    for _ in range(MAX_DRAWS):
        held_out = _draw_mixed(by_class, numbers, classes_of, rng)
        if held_out is not None:
            return held_out
    return None


def _draw_mixed(by_class, numbers, classes_of, rng):
    """Draw groups of several classes, the classes of fewest groups first; None in a dead end."""
    n_held_out = np.zeros(len(by_class), dtype=int)
    n_groups = np.array([len(own) for own in by_class])
    held_out = set()
    for c in np.argsort(n_groups, kind="stable"):
        for group in rng.permutation(by_class[c]).tolist():
            if n_held_out[c] >= numbers[c]:
                break
            own = classes_of[group]
            if group not in held_out and (n_held_out[own] + 1 < n_groups[own]).all():
                held_out.add(group)
                n_held_out[own] += 1
    return np.array(sorted(held_out)) if (n_held_out > 0).all() else None


def check_group_counts(labels, targets, groups, reason, unit="group"):
    """Raise a ValueError for a class that is in a single group.

    Parameters
    ----------
    labels : list
        The classes.
    targets : ndarray of int of shape (n_samples,)
        Their indices.
    groups : ndarray of int of shape (n_samples,)
    reason : str
        The setting that needs two groups of each class.
    unit : str, default="group"
        What a group is called.
    """
    for label, own in zip(labels, groups_by_class(targets, groups), strict=True):
        if len(own) < 2:
            raise ValueError(
                f"class {label!r} has 1 {unit}{place_of_rows()}, but {reason} needs 2 of each "
                "class, one of them for validation"
            )


def group_folds(y, groups, n_folds, seed=None):
    """Return stratified folds that keep groups together, a list of (train, test).

    Where every group has a single class, the groups are stratified, so that each fold has groups
    of every class. Otherwise this is scikit-learn's `StratifiedGroupKFold`.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Labels.
    groups : ndarray of int of shape (n_samples,)
    n_folds : int
    seed : int, default=None
        The folds are shuffled with it; None does not shuffle.

    Examples
    --------
    >>> y, groups = np.array([0, 0, 1, 1, 0, 1]), np.array([0, 0, 1, 1, 2, 3])
    >>> [test.tolist() for _, test in group_folds(y, groups, 2)]
    [[0, 1, 2, 3], [4, 5]]
    """
    given = {"shuffle": seed is not None, "random_state": seed}
    names, numbers = np.unique(groups, return_inverse=True)
    classes = class_of_group(y, groups)
    if classes is None:
        splitter = StratifiedGroupKFold(n_folds, **given)
        return list(splitter.split(numbers, y, numbers))
    splits = StratifiedKFold(n_folds, **given).split(names, classes)
    is_test = [np.isin(numbers, test) for _, test in splits]
    return [(np.flatnonzero(~own), np.flatnonzero(own)) for own in is_test]


def check_groups_are_whole(splits, groups, cv):
    """Raise a ValueError where a split has samples of one group on both sides."""
    for train, test in splits:
        n_split = len(np.intersect1d(groups[train], groups[test]))
        if n_split:
            raise ValueError(
                f"cv={cv!r} puts samples of {n_split} groups on both sides of a split; use a "
                "number of folds, or a splitter that takes groups such as StratifiedGroupKFold"
            )


# ---------------------------------------------------------------- estimators


def takes_groups(estimator):
    """Whether an estimator, or the last step of a pipeline, does something with groups.

    Groups cannot pass a resampler, because the samples behind it are others.
    """
    if isinstance(estimator, Pipeline):
        resamples = any(hasattr(step, "fit_resample") for _, step in estimator.steps)
        return not resamples and takes_groups(estimator.steps[-1][1])
    if has_fit_parameter(estimator, "groups"):
        return True
    # A search hands groups to its splitter; other meta-estimators take them with routing only.
    if isinstance(estimator, BaseSearchCV) or (_routing_enabled() and hasattr(estimator, "fit")):
        return bool(get_routing_for_object(estimator).consumes("fit", ["groups"]))
    return False


def holds_out(estimator, n_samples):
    """Whether an estimator that takes groups, or the last step of a pipeline, holds samples out."""
    while isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    # Networks hold samples out for these two settings; all other classes always do.
    is_network = hasattr(estimator, "early_stopping") and not hasattr(estimator, "cost_cv")
    sampler = getattr(estimator, "sampler", None)
    if not is_network or sampler is not None:
        return True
    return stops_early(estimator.early_stopping, n_samples)


def groups_params(estimator, groups):
    """Return groups as parameters of an estimator's `fit`: none where it does not take them.

    Without metadata routing, those of a step of a pipeline are ``<step>__groups``.
    """
    if groups is None:
        return {}
    warn_of_lost_groups(estimator, len(groups))
    if _routing_enabled():
        return {"groups": groups} if takes_groups(estimator) else {}
    names, prefix = [], ""
    while isinstance(estimator, Pipeline):
        names += [f"{prefix}{step}__groups" for step in transformers_that_take_groups(estimator)]
        if not takes_groups(estimator):
            return dict.fromkeys(names, groups)
        step, estimator = estimator.steps[-1]
        prefix += f"{step}__"
    if takes_groups(estimator):
        names.append(f"{prefix}groups")
    return dict.fromkeys(names, groups)


def transformers_that_take_groups(pipeline):
    """Names of the steps before the last one, and before any resampler, whose `fit` has groups."""
    names = []
    for name, step in pipeline.steps[:-1]:
        if hasattr(step, "fit_resample"):
            break
        if hasattr(step, "fit") and has_fit_parameter(step, "groups"):
            names.append(name)
    return names


def warn_of_lost_groups(estimator, n_samples):
    """Warn where an estimator holds samples out, but the groups do not reach it."""
    if not takes_groups(estimator):
        _warn_of_resampler(estimator, n_samples)
    while isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    if takes_groups(estimator):
        _warn_of_inner_split(estimator, n_samples)
    else:
        _warn_of_own_split(estimator)


def _warn_of_inner_split(search, n_samples):
    """Warn of scikit-learn's searches, which keep groups from their estimator without routing."""
    is_foreign = isinstance(search, BaseSearchCV) and type(search).__module__.startswith("sklearn.")
    if not is_foreign or _routing_enabled():
        return
    if takes_groups(search.estimator) and holds_out(search.estimator, n_samples):
        warn(
            f"{type(search).__name__} hands no groups on to its estimator, which holds out samples "
            f"whose group is in training; {ROUTING}"
        )


def _warn_of_own_split(estimator):
    """Warn of scikit-learn's classifiers that split their samples without groups."""
    params = estimator.get_params(deep=False) if hasattr(estimator, "get_params") else {}
    cv = params.get("cv", "prefit")  # of those that have no `cv`, too
    if not (isinstance(cv, str) and cv == "prefit"):
        advice = "give it a cv that takes groups, such as GroupKFold()"
        if not isinstance(estimator, BaseSearchCV) and not _routing_enabled():
            advice += f", and {ROUTING}"
    elif params.get("early_stopping") is True:
        advice = "use early_stopping=False, or a network of this package"
    else:
        return
    warn(
        f"{type(estimator).__name__} splits its samples and gets no groups, so that samples of one "
        f"group are on both sides; {advice}"
    )


def _warn_of_resampler(estimator, n_samples):
    """Warn where a resampler keeps groups from a last step that holds samples out."""
    if not isinstance(estimator, Pipeline) or not takes_groups(estimator.steps[-1][1]):
        return
    name, last = estimator.steps[-1]
    if not holds_out(last, n_samples):
        return
    warn(
        f"groups cannot pass the resampler in front of {name!r}, because it changes the samples: "
        f"{type(last).__name__} may hold out samples whose group is in training; use class weights "
        "or a mini-batch sampler in place of the resampler"
    )
