"""imbalanced-learn's common checks, as parameters of a test.

Its own `parametrize_with_checks` gives pytest a generator, which new versions of pytest refuse.
"""

import pytest
from imblearn.utils.estimator_checks import estimator_checks_generator


def parametrize_with_checks(samplers):
    """Parametrise a test over (estimator, check)."""
    cases = [
        pytest.param(estimator, check, id=f"{sampler!r}-{check.func.__name__}")
        for sampler in samplers
        for estimator, check in estimator_checks_generator(sampler)
    ]
    return pytest.mark.parametrize(("estimator", "check"), cases)
