"""What every loss promises: a class to inherit, with one fixture to write."""

import pickle
from copy import deepcopy

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import make_classification
from torch.func import functional_call, grad_and_value, stack_module_state, vmap

from skimbal import MLPClassifier
from skimbal.losses import BoundBatchLoss

COUNTS = np.array([60.0, 30.0, 10.0])
WEIGHT = np.array([0.5, 1.0, 4.0])
COSTS = np.array([[0.0, 1.0, 2.0], [3.0, 0.0, 1.0], [9.0, 6.0, 0.0]])
MILD_COSTS = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.5, 1.5, 0.0]])
N_CLASSES = len(COUNTS)


def make_batch(n=12, seed=0):
    """Logits in float64 and targets that hold every class."""
    generator = torch.Generator().manual_seed(seed)
    logits = 2.0 * torch.randn(n, N_CLASSES, generator=generator, dtype=torch.float64)
    return logits, torch.arange(n) % N_CLASSES


def bind(loss, counts=COUNTS, weight=WEIGHT, costs=COSTS):
    """Bind in float64, with class weights and costs where the loss takes them."""
    weight = None if loss.weights_classes else weight
    bound = loss.bind(counts, class_weight=weight, cost_matrix=costs).double()
    if loss.needs_features:
        return WithFeatures(bound)
    return bound


def value_of(loss, counts=COUNTS, **given):
    """Value of a loss on a batch, in float64."""
    return loss.bind(counts, **given).double()(*make_batch())


class WithFeatures(torch.nn.Module):
    """A loss of logits and features as one of logits, which are features of their own."""

    def __init__(self, bound):
        super().__init__()
        self.bound = bound

    def forward(self, logits, target, sample_weight=None):
        return self.bound(logits, target, sample_weight, features=logits)


def is_batch_loss(bound):
    """Whether the loss of a sample depends on the others."""
    return isinstance(getattr(bound, "bound", bound), BoundBatchLoss)


def learn(loss, **options):
    """Fit a small network with the loss to three classes."""
    X, y = make_classification(
        150, n_informative=4, n_classes=3, weights=[0.6, 0.3], random_state=0
    )
    network = MLPClassifier(
        hidden_layer_sizes=(8,),
        loss=loss,
        cost_matrix=MILD_COSTS if loss.needs_costs else None,
        learning_rate=0.01,
        random_state=0,
        **options,
    )
    return network.fit(X, y), X, y


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
        if loss.needs_features:
            pytest.skip("repeated samples are among the hardest ones twice")
        logits, target = make_batch()
        times = torch.arange(len(target)) % 4
        repeated = bind(loss)(logits.repeat_interleave(times, 0), target.repeat_interleave(times))
        torch.testing.assert_close(bind(loss)(logits, target, times.double()), repeated)

    def test_samples_of_weight_0_are_as_if_not_there(self, loss):
        """In the value and in the gradient, whatever the logits of such samples are."""
        logits, target = make_batch()
        weight = torch.linspace(0.1, 2.0, len(target), dtype=torch.float64)
        gradient, value = grad_and_value(bind(loss))(logits, target, weight)
        filled = (
            torch.cat([logits, 50.0 * logits[:5].flip(1)]),
            torch.cat([target, target[1:6]]),
            torch.cat([weight, torch.zeros(5, dtype=torch.float64)]),
        )
        filled_gradient, filled_value = grad_and_value(bind(loss))(*filled)
        torch.testing.assert_close(filled_value, value, rtol=1e-13, atol=0)
        torch.testing.assert_close(filled_gradient[:12], gradient, rtol=1e-11, atol=1e-15)
        assert (filled_gradient[12:] == 0).all()

    def test_losses_of_batches_add_up(self, loss):
        bound = bind(loss)
        if is_batch_loss(bound):
            pytest.skip("a loss of the batch as a whole")
        logits, target = make_batch()
        weight = torch.linspace(0.1, 2.0, len(target), dtype=torch.float64)
        total = sum(
            bound(logits[rows], target[rows], weight[rows]) * weight[rows].sum()
            for rows in (slice(0, 1), slice(1, 5), slice(5, None))
        )
        torch.testing.assert_close(bound(logits, target, weight) * weight.sum(), total)

    @pytest.mark.parametrize("target", [[0, 1, 2, 0], [0, 0, 0, 0], [1, 1, 2, 2]])
    @pytest.mark.parametrize("is_weighted", [True, False])
    @pytest.mark.parametrize("row", [slice(None), slice(1, 2)], ids=["all", "one"])
    def test_logits_of_nan_have_no_finite_loss(self, loss, target, is_weighted, row):
        logits, _ = make_batch(4)
        logits[row] = torch.nan
        weight = torch.ones(4, dtype=torch.float64) if is_weighted else None
        assert bind(loss)(logits, torch.tensor(target), weight).isnan()

    def test_a_batch_without_weight_adds_nothing(self, loss):
        logits, target = make_batch()
        weight = torch.zeros(len(target), dtype=torch.float64)
        gradient, value = grad_and_value(bind(loss))(logits, target, weight)
        assert value == 0.0
        assert (gradient == 0.0).all()

    def test_order_of_the_classes_does_not_matter(self, loss):
        logits, target = make_batch()
        order = torch.tensor([2, 0, 1])
        i = order.numpy()
        permuted = bind(loss, COUNTS[i], WEIGHT[i], COSTS[np.ix_(i, i)])
        torch.testing.assert_close(
            permuted(logits[:, order], order.argsort()[target]), bind(loss)(logits, target)
        )

    def test_order_of_the_samples_does_not_matter(self, loss):
        logits, target = make_batch()
        weight = torch.linspace(0.1, 2.0, len(target), dtype=torch.float64)
        torch.testing.assert_close(
            bind(loss)(logits.flip(0), target.flip(0), weight.flip(0)),
            bind(loss)(logits, target, weight),
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

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_value_and_gradient_are_of_the_type_of_the_logits(self, loss, dtype):
        logits, target = make_batch()
        for bound in (bind(loss).float(), bind(loss).double()):
            gradient, value = grad_and_value(bound)(logits.to(dtype), target)
            assert value.dtype == gradient.dtype == dtype

    @pytest.mark.parametrize("target", [[0, 0, 0, 0], [2, 2, 2, 2], [0, 1, 0, 1], [1, 2, 2, 2]])
    def test_classes_may_lack_in_a_batch(self, loss, target):
        for counts in (COUNTS, np.array([60.0, 30.0, 0.0])):
            gradient, value = grad_and_value(bind(loss, counts))(
                make_batch(4)[0], torch.tensor(target)
            )
            assert value.isfinite()
            assert gradient.isfinite().all()

    def test_many_networks_at_once_are_a_loop(self, loss):
        """By torch.func, with different counts, costs and batches, and rows that fill up."""
        bounds = [bind(loss), bind(loss, COUNTS[::-1].copy(), 2 * WEIGHT, COSTS.T.copy())]
        template, (_, tensors) = deepcopy(bounds[0]), stack_module_state(bounds)
        batches = [make_batch(seed=seed) for seed in (1, 2)]
        logits, target = (torch.stack(parts) for parts in zip(*batches, strict=True))
        weight = torch.linspace(0.0, 1.0, target.numel(), dtype=torch.float64).view(2, -1)

        def compute(logits, tensors, target, weight):
            return functional_call(template, tensors, (logits, target, weight))

        gradients, values = vmap(grad_and_value(compute))(logits, tensors, target, weight)
        for i, bound in enumerate(bounds):
            gradient, value = grad_and_value(bound)(logits[i], target[i], weight[i])
            torch.testing.assert_close(values[i], value)
            torch.testing.assert_close(gradients[i], gradient)

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
        """A network and the loss itself have to refuse to weight classes twice."""
        network = MLPClassifier(
            loss=loss, class_weight="balanced", cost_matrix=[[0, 1], [2, 0]], max_epochs=1
        )
        with pytest.raises(ValueError, match="weights the classes itself"):
            network.fit(np.eye(4), [0, 0, 1, 1])
        with pytest.raises(ValueError, match="weights the classes itself"):
            loss.bind(COUNTS, class_weight=WEIGHT, cost_matrix=COSTS)

    def test_without_weights_it_takes_none_of_the_classes(self, loss):
        """What early stopping looks at has no class weights and no schedule."""
        plain = loss.unweighted()
        bound = plain.bind(COUNTS, cost_matrix=COSTS)
        assert getattr(bound, "class_weight", None) is None
        assert not hasattr(bound, "set_epoch")
        assert not plain.needs_features
        assert repr(plain.unweighted()) == repr(plain)

    def test_says_what_it_asks_of_a_network(self, loss):
        assert isinstance(loss.weights_classes, bool)
        assert isinstance(loss.needs_counts, bool)
        assert isinstance(loss.needs_costs, bool)
        assert isinstance(loss.needs_features, bool)
        assert isinstance(loss.compares_classes, bool)
        assert loss.head in (None, "normalized")
        if loss.head == "normalized":
            assert loss.scale > 0

    def test_needs_counts_where_they_matter(self, loss):
        others = np.array([25.0, 35.0, 40.0])
        same = bind(loss)(*make_batch()) == bind(loss, others)(*make_batch())
        bound = bind(loss)
        if hasattr(bound, "set_epoch"):
            same = torch.equal(bound.final_weight, bind(loss, others).final_weight)
        assert same != loss.needs_counts

    def test_missing_costs_are_refused_where_they_are_needed(self, loss):
        if not loss.needs_costs:
            assert loss.bind(COUNTS)
            return
        with pytest.raises(ValueError, match=r"needs a cost matrix, and got None; give"):
            loss.bind(COUNTS)

    def test_binding_changes_no_argument_and_shares_none(self, loss):
        counts, weight, costs = COUNTS.copy(), WEIGHT.copy(), COSTS.copy()
        bound = bind(loss, counts, weight, costs)
        np.testing.assert_array_equal(counts, COUNTS)
        np.testing.assert_array_equal(weight, WEIGHT)
        np.testing.assert_array_equal(costs, COSTS)
        before = bound(*make_batch())
        counts[:], weight[:], costs[:] = 1.0, 9.0, 9.0
        assert bound(*make_batch()) == before

    def test_is_a_value(self, loss):
        before = repr(loss)
        bind(loss)
        assert repr(loss) == before
        assert repr(clone(loss)) == before
        twin = pickle.loads(pickle.dumps(loss))
        assert bind(twin)(*make_batch()) == bind(loss)(*make_batch())

    def test_bound_loss_is_copied_and_pickled(self, loss):
        bound = bind(loss)
        for twin in (deepcopy(bound), pickle.loads(pickle.dumps(bound))):
            assert twin(*make_batch()) == bound(*make_batch())

    def test_a_network_learns_with_it(self, loss):
        network, X, y = learn(loss, max_epochs=25)
        assert network.history_["train_loss"].iloc[-1] < network.history_["train_loss"].iloc[0]
        assert network.score(X, y) > 0.7

    def test_a_network_stops_early_with_it(self, loss):
        network, _, _ = learn(loss, max_epochs=3, early_stopping=True)
        assert network.history_["valid_loss"].notna().all()
