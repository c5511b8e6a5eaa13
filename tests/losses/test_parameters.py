"""Parameters of the losses that are refused."""

import numpy as np
import pytest

from skimbal.losses import (
    LDAM,
    Asymmetric,
    AUCMargin,
    ClassBalanced,
    ClassRectification,
    DeepOversampling,
    DeferredReweighting,
    Focal,
    IncrementalWeightedCrossEntropy,
    LogitAdjustment,
)

from .contract import COUNTS, make_batch


def value_of(loss, counts=COUNTS, **given):
    return loss.bind(counts, **given).double()(*make_batch())


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (Focal(gamma=-0.1), r"'gamma' .* range \[0.0, inf\). Got -0.1"),
        (Focal(gamma="2"), "'gamma' .* Got '2'"),
        (ClassBalanced(beta=1.0), r"'beta' .* range \[0.0, 1.0\). Got 1.0"),
        (ClassBalanced(beta=-0.5), r"'beta' .* Got -0.5"),
        (ClassBalanced(loss="focl"), "unknown loss 'focl'; did you mean 'focal'"),
        (DeferredReweighting(beta=np.nan), "'beta' .* Got nan"),
        (DeferredReweighting(start=1.1), r"'start' .* range \[0.0, 1.0\]. Got 1.1"),
        (DeferredReweighting(start=-0.1), "'start' .* Got -0.1"),
        (DeferredReweighting(weights="inverse"), "'weights' .*'effective'.* Got 'inverse'"),
        (DeferredReweighting(loss=None), "'loss' .* Got None"),
        (IncrementalWeightedCrossEntropy(T=0), r"'T' .* range \(0.0, inf\]. Got 0"),
        (IncrementalWeightedCrossEntropy(T=-3), "'T' .* Got -3"),
        (IncrementalWeightedCrossEntropy(ramp="exp"), "'ramp' .*'exponential'.* Got 'exp'"),
        (LDAM(max_margin=-1), "'max_margin' .* Got -1"),
        (LDAM(scale=0), "'scale' .* Got 0"),
        (LogitAdjustment(tau=-1), "'tau' .* Got -1"),
        (Asymmetric(gamma_positive=-1), "'gamma_positive' .* Got -1"),
        (Asymmetric(gamma_negative=-1), "'gamma_negative' .* Got -1"),
        (Asymmetric(margin=1.5), "'margin' .* Got 1.5"),
        (AUCMargin(margin=0), "'margin' .* Got 0"),
        (DeepOversampling(n_neighbors=0), "'n_neighbors' .* Got 0"),
        (DeepOversampling(n_draws=0), "'n_draws' .* Got 0"),
        (DeepOversampling(clustering=-1), "'clustering' .* Got -1"),
        (ClassRectification(eta=2), "'eta' .* Got 2"),
        (ClassRectification(margin=0), "'margin' .* Got 0"),
        (ClassRectification(n_hardest=0), "'n_hardest' .* Got 0"),
        (ClassRectification(n_hardest=1.5), "'n_hardest' .* Got 1.5"),
    ],
    ids=repr,
)
def test_bad_parameters_are_refused(loss, message):
    with pytest.raises(ValueError, match=message):
        loss.bind(COUNTS)
