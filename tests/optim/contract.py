"""What every optimizer promises: a class to inherit, with one method to write."""

import pickle

import numpy as np
import pytest

BOUNDS = np.array([(-5.0, 5.0), (0.0, 1.0), (-300.0, -100.0)])
TARGET = np.array([1.0, 0.25, -120.0])


def distance(x):
    """Squared distance to the target, each dimension in units of its width."""
    return (((x - TARGET) / np.diff(BOUNDS).T) ** 2).sum(axis=1)


def run(optimizer, n_generations, loss=distance):
    """Drive the optimizer; return all asked points, shape (n_generations, n_points, n_dims)."""
    asked = []
    for _ in range(n_generations):
        x = optimizer.ask()
        optimizer.tell(x, loss(x))
        asked.append(x)
    return np.array(asked)


class OptimizerContract:
    """Tests for one optimizer; a subclass named ``Test...`` writes `make`."""

    def make(self, bounds=BOUNDS, random_state=0):
        """A new optimizer of some small population over `bounds`."""
        raise NotImplementedError

    def test_asks_points_of_its_shape_within_the_bounds(self):
        optimizer = self.make()
        asked = run(optimizer, 50)
        assert asked.shape == (50, optimizer.population_size, optimizer.n_dims)
        assert asked.dtype == np.float64
        assert (asked >= BOUNDS[:, 0]).all()
        assert (asked <= BOUNDS[:, 1]).all()

    def test_one_dimension(self):
        optimizer = self.make(bounds=[(2, 3)])
        asked = run(optimizer, 20, loss=lambda x: x[:, 0])
        assert optimizer.best[1] == asked.min()

    def test_asking_again_gives_the_same_points(self):
        optimizer = self.make()
        run(optimizer, 3)
        np.testing.assert_array_equal(optimizer.ask(), optimizer.ask())

    def test_the_caller_may_change_what_was_asked(self):
        optimizer = self.make()
        x = optimizer.ask()
        kept = x.copy()
        x[:] = 0.0
        np.testing.assert_array_equal(optimizer.ask(), kept)

    def test_the_caller_may_change_the_bounds_and_the_best_point(self):
        bounds = BOUNDS.copy()
        optimizer, untouched = self.make(bounds=bounds), self.make()
        bounds[:] = 0.0
        run(optimizer, 1)
        optimizer.best[0][:] = 1e9
        run(untouched, 1)
        np.testing.assert_array_equal(optimizer.best[0], untouched.best[0])
        np.testing.assert_array_equal(run(optimizer, 3), run(untouched, 3))

    def test_tell_changes_no_argument(self):
        optimizer = self.make()
        for generation in range(5):
            x = optimizer.ask()
            losses = distance(x)
            losses[generation::4] = np.nan
            kept_x, kept_losses = x.copy(), losses.copy()
            optimizer.tell(x, losses)
            np.testing.assert_array_equal(x, kept_x)
            np.testing.assert_array_equal(losses, kept_losses)

    def test_what_was_told_may_change_afterwards(self):
        optimizer, untouched = self.make(), self.make()
        for _ in range(10):
            x = optimizer.ask()
            losses = distance(x)
            optimizer.tell(x, losses)
            x[:], losses[:] = 0.0, -1.0
        run(untouched, 10)
        assert optimizer.best[1] == untouched.best[1]
        np.testing.assert_array_equal(optimizer.ask(), untouched.ask())

    def test_read_only_arguments_and_lists_are_taken(self):
        optimizer, other = self.make(), self.make()
        for _ in range(5):
            x = optimizer.ask()
            losses = distance(x)
            x.flags.writeable = losses.flags.writeable = False
            optimizer.tell(x, losses)
            other.tell(other.ask().tolist(), losses.tolist())
        np.testing.assert_array_equal(optimizer.ask(), other.ask())

    def test_best_is_the_lowest_loss_that_was_told(self):
        optimizer, lowest, at = self.make(), np.inf, None
        for _ in range(30):
            x = optimizer.ask()
            losses = distance(x)
            if losses.min() < lowest:
                lowest, at = losses.min(), x[losses.argmin()]
            optimizer.tell(x, losses)
            assert optimizer.best[1] == lowest
            np.testing.assert_array_equal(optimizer.best[0], at)

    def test_best_never_gets_worse_where_losses_are_noise(self):
        optimizer, rng, bests = self.make(), np.random.default_rng(3), []
        for _ in range(50):
            optimizer.tell(optimizer.ask(), rng.normal(size=optimizer.population_size))
            bests.append(optimizer.best[1])
        assert (np.diff(bests) <= 0).all()
        assert bests[-1] < bests[0]

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_losses_that_are_not_finite_rank_last(self, value):
        optimizer, other = self.make(), self.make()
        for _ in range(10):
            x = optimizer.ask()
            losses = distance(x)
            losses[::2] = value
            optimizer.tell(x, losses)
            losses[::2] = np.inf
            other.tell(other.ask(), losses)
            assert optimizer.best[1] == other.best[1] < np.inf
        np.testing.assert_array_equal(optimizer.ask(), other.ask())

    def test_goes_on_while_no_loss_is_finite(self):
        optimizer = self.make()
        first = optimizer.ask()
        run(optimizer, 5, loss=lambda x: np.full(len(x), np.nan))
        best_x, best_loss = optimizer.best
        assert best_loss == np.inf
        assert best_x.tolist() in first.tolist()
        run(optimizer, 1)
        assert optimizer.best[1] < np.inf

    def test_same_seed_same_trajectory(self):
        np.testing.assert_array_equal(run(self.make(), 20), run(self.make(), 20))

    def test_other_seed_other_points(self):
        assert (self.make(random_state=1).ask() != self.make(random_state=2).ask()).all()

    def test_random_state_forms(self):
        seeded = self.make(random_state=np.random.default_rng(7)).ask()
        np.testing.assert_array_equal(seeded, self.make(random_state=7).ask())
        np.testing.assert_array_equal(seeded, self.make(random_state=np.int64(7)).ask())
        legacy = [self.make(random_state=np.random.RandomState(7)).ask() for _ in range(2)]
        np.testing.assert_array_equal(*legacy)
        assert (self.make(random_state=None).ask() != self.make(random_state=None).ask()).any()

    @pytest.mark.parametrize("random_state", [-1, 0.5, "seed"])
    def test_bad_random_state(self, random_state):
        with pytest.raises(ValueError, match=r"random_state=.* must be None, an integer >= 0"):
            self.make(random_state=random_state)

    @pytest.mark.parametrize("n_before", [0, 1, 15])
    @pytest.mark.parametrize("between_ask_and_tell", [False, True])
    def test_pickled_and_resumed_goes_on_bit_for_bit(self, n_before, between_ask_and_tell):
        optimizer = self.make()
        run(optimizer, n_before)
        if between_ask_and_tell:
            optimizer.ask()
        resumed = pickle.loads(pickle.dumps(optimizer))
        np.testing.assert_array_equal(run(optimizer, 25), run(resumed, 25))
        np.testing.assert_array_equal(optimizer.best[0], resumed.best[0])
        assert optimizer.best[1] == resumed.best[1]

    def test_tell_before_ask(self):
        optimizer = self.make()
        x = self.make().ask()
        with pytest.raises(ValueError, match="before ask"):
            optimizer.tell(x, distance(x))
        optimizer.tell(optimizer.ask(), distance(x))
        with pytest.raises(ValueError, match="before ask"):
            optimizer.tell(x, distance(x))

    def test_best_before_tell(self):
        with pytest.raises(ValueError, match="no best point yet"):
            _ = self.make().best

    def test_wrong_arguments_are_refused_and_leave_it_as_it_was(self):
        optimizer, untouched = self.make(), self.make()
        run(optimizer, 3)
        run(untouched, 3)
        x = optimizer.ask()
        losses = distance(x)
        with pytest.raises(ValueError, match=rf"losses has shape \({len(x) - 1},\)"):
            optimizer.tell(x, losses[1:])
        with pytest.raises(ValueError, match=rf"losses has shape \({len(x)}, 1\)"):
            optimizer.tell(x, losses[:, None])
        with pytest.raises(ValueError, match="x has shape"):
            optimizer.tell(x[1:], losses[1:])
        with pytest.raises(ValueError, match="x is not what ask"):
            optimizer.tell(x[::-1], losses[::-1])
        with pytest.raises(ValueError, match="x is not what ask"):
            optimizer.tell(x.astype(np.float32), losses)
        np.testing.assert_array_equal(run(optimizer, 5), run(untouched, 5))

    @pytest.mark.parametrize(
        ("bounds", "message"),
        [
            ((0, 1), r"shape \(2,\)"),
            ([], r"shape \(0,\)"),
            (np.empty((0, 2)), r"shape \(0, 2\)"),
            ([(0, 1, 2)], r"shape \(1, 3\)"),
            ([(0, 1), (0, np.inf)], "finite"),
            ([(np.nan, 1)], "finite"),
            ([(-1.5e308, 1.5e308)], "finite"),
            ([(0, 1), (1, 1)], r"bounds\[1\] is \(1.0, 1.0\)"),
            ([(2, -2)], r"bounds\[0\] is \(2.0, -2.0\)"),
        ],
    )
    def test_bad_bounds(self, bounds, message):
        with pytest.raises(ValueError, match=message):
            self.make(bounds=bounds)
