"""What every loss promises: a class to inherit, with one fixture to write."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import make_classification

from skimbal import MLPClassifier

COUNTS = np.array([60.0, 30.0, 10.0])
WEIGHT = np.array([0.5, 1.0, 4.0])
N_CLASSES = len(COUNTS)


def make_batch(n=12, seed=0):
    """Logits in float64 and targets that hold every class."""
    generator = torch.Generator().manual_seed(seed)
    logits = 2.0 * torch.randn(n, N_CLASSES, generator=generator, dtype=torch.float64)
    return logits, torch.arange(n) % N_CLASSES


def bind(loss, counts=COUNTS, weight=WEIGHT):
    """Bind in float64, with class weights where the loss takes them."""
    return loss.bind(counts, class_weight=None if loss.weights_classes else weight).double()


class LossContract:
    """Tests for one loss; a subclass named ``Test...`` writes the fixture `loss`."""

    @pytest.fixture
    def loss(self):
        """A loss value."""
        raise NotImplementedError

    def test_is_a_finite_number(self, loss):
        value = bind(loss)(*make_batch())
        assert value.shape == ()
        assert value.isfinite()

    def test_favours_the_true_class(self, loss):
        target = make_batch()[1]
        onehot = torch.nn.functional.one_hot(target, N_CLASSES).double()
        right, undecided, wrong = (bind(loss)(z * onehot, target) for z in (8.0, 0.0, -8.0))
        assert right < undecided < wrong

    def test_sample_weights_of_one_are_none(self, loss):
        logits, target = make_batch()
        ones = torch.ones(len(target), dtype=torch.float64)
        torch.testing.assert_close(bind(loss)(logits, target, ones), bind(loss)(logits, target))

    def test_scale_of_the_sample_weights_does_not_matter(self, loss):
        logits, target = make_batch()
        weight = torch.rand(len(target), dtype=torch.float64, generator=torch.Generator())
        bound = bind(loss)
        torch.testing.assert_close(bound(logits, target, 7 * weight), bound(logits, target, weight))

    def test_integer_sample_weights_are_repetition(self, loss):
        logits, target = make_batch()
        times = torch.arange(len(target)) % 4
        repeated = bind(loss)(logits.repeat_interleave(times, 0), target.repeat_interleave(times))
        torch.testing.assert_close(bind(loss)(logits, target, times.double()), repeated)

    def test_losses_of_batches_add_up(self, loss):
        logits, target = make_batch()
        weight = torch.linspace(0.1, 2.0, len(target), dtype=torch.float64)
        bound = bind(loss)
        total = sum(
            bound(logits[rows], target[rows], weight[rows]) * weight[rows].sum()
            for rows in (slice(0, 1), slice(1, 5), slice(5, None))
        )
        torch.testing.assert_close(bound(logits, target, weight) * weight.sum(), total)

    def test_order_of_the_classes_does_not_matter(self, loss):
        logits, target = make_batch()
        order = torch.tensor([2, 0, 1])
        permuted = bind(loss, COUNTS[order.numpy()], WEIGHT[order.numpy()])
        torch.testing.assert_close(
            permuted(logits[:, order], order.argsort()[target]), bind(loss)(logits, target)
        )

    def test_gradient(self, loss):
        logits, target = make_batch(6)
        weight = torch.linspace(0.5, 2.0, 6, dtype=torch.float64)
        bound = bind(loss)
        assert torch.autograd.gradcheck(
            lambda z: bound(z, target, weight), logits.requires_grad_(), raise_exception=True
        )

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    @pytest.mark.parametrize("size", [1e2, 1e4])
    def test_large_logits_give_finite_losses_and_gradients(self, loss, size, dtype):
        logits = size * torch.tensor([[1, -1, 0], [-1, 1, 0], [-1, -1, -1]], dtype=dtype)
        logits.requires_grad_()
        bound = bind(loss).to(dtype)
        for target in ([0, 1, 2], [1, 0, 2], [2, 2, 0]):
            value = bound(logits, torch.tensor(target))
            (gradient,) = torch.autograd.grad(value, logits)
            assert value.isfinite()
            assert gradient.isfinite().all()

    def test_class_weights_multiply_the_loss_of_their_class(self, loss):
        if loss.weights_classes:
            self.check_class_weight_is_refused(loss)
            return
        logits, target = make_batch()
        plain, weighted = bind(loss, weight=None), bind(loss)
        for c, weight in enumerate(WEIGHT):
            rows = target == c
            torch.testing.assert_close(
                weighted(logits[rows], target[rows]), weight * plain(logits[rows], target[rows])
            )

    def check_class_weight_is_refused(self, loss):
        """A network has to refuse to weight classes twice."""
        network = MLPClassifier(loss=loss, class_weight="balanced", max_epochs=1)
        with pytest.raises(ValueError, match="weights the classes itself"):
            network.fit(np.eye(4), [0, 0, 1, 1])

    def test_binding_changes_no_argument_and_shares_none(self, loss):
        counts, weight = COUNTS.copy(), WEIGHT.copy()
        bound = bind(loss, counts, weight)
        np.testing.assert_array_equal(counts, COUNTS)
        np.testing.assert_array_equal(weight, WEIGHT)
        before = bound(*make_batch())
        counts[:], weight[:] = 1.0, 9.0
        assert bound(*make_batch()) == before

    def test_is_a_value(self, loss):
        before = repr(loss)
        bind(loss)
        assert repr(loss) == before
        assert repr(clone(loss)) == before
        twin = pickle.loads(pickle.dumps(loss))
        assert bind(twin)(*make_batch()) == bind(loss)(*make_batch())

    def test_a_network_learns_with_it(self, loss):
        X, y = make_classification(
            150, n_informative=4, n_classes=3, weights=[0.6, 0.3], random_state=0
        )
        network = MLPClassifier(
            hidden_layer_sizes=(8,), loss=loss, max_epochs=15, learning_rate=0.01, random_state=0
        ).fit(X, y)
        assert network.history_["train_loss"].iloc[-1] < network.history_["train_loss"].iloc[0]
        assert network.score(X, y) > 0.7
