"""The losses of a population: values and gradients with respect to the logits, all at once."""

from copy import deepcopy
from functools import partial

import torch
from torch.func import functional_call, grad_and_value, stack_module_state, vmap

from skimbal._training.mixup import mixed
from skimbal.losses import BoundLoss, Formula, cross_entropy


class StackedLoss:
    """The bound losses of P networks.

    The first of three strategies that is possible is taken: the gradient as a formula, for cross
    entropy; `torch.func.vmap`, for losses that take weights; a loop over the networks.

    Parameters
    ----------
    losses : list of torch.nn.Module
        Bound losses of one structure; their tensors may differ.
    logits : tensor of shape (1, n_classes)
        An example, which tells type and device.
    needs_features : bool, default=False
        Whether the losses look at the features too.
    """

    def __init__(self, losses, logits, needs_features=False):
        self.losses = losses
        self.needs_features = needs_features
        self.observes = hasattr(losses[0], "observe")
        self.strategy = _find_strategy(losses[0], logits, needs_features)
        self._stack()

    def begin_epoch(self, epochs, n_epochs):
        """Tell losses with a schedule the epoch of each network."""
        has_schedule = False
        for loss, *epoch in zip(self.losses, epochs, n_epochs, strict=True):
            if hasattr(loss, "set_epoch"):
                loss.set_epoch(*epoch)
                has_schedule = True
        if has_schedule:
            self._stack()

    def keep(self, networks):
        """Go on with some of the networks alone, given by their indices."""
        self.losses = [self.losses[i] for i in networks]
        self._stack()

    def _stack(self):
        self.compute = self.strategy(self.losses)

    def __call__(self, inputs, target, share, n_rows, mixture=None):
        """Compute the losses of a batch and their gradients.

        Parameters
        ----------
        inputs : sequence of tensor
            The logits, shape (P, n, n_classes), and features, shape (P, n, n_features), if the
            losses need them.
        target : tensor of int64 of shape (P, n)
        share : tensor of shape (P, n)
            Weight of each row divided by the sum; 0 in rows that only fill up the batch, which are
            the last ones.
        n_rows : ndarray of shape (P,)
            Rows of each network that count.
        mixture : tuple of (tensor of shape (P, n), the same, tensor of shape (P,)) or None
            Other targets and shares of the rows, and the part that the first ones have: see
            `mix_epoch`.

        Returns
        -------
        losses : tensor of shape (P,)
        gradients : tuple of tensor
            With respect to the inputs.
        """
        losses, gradients = self.compute(inputs, target, share, n_rows)
        if self.observes:
            self._observe(inputs, target, share, n_rows, mixture)
        if mixture is None:
            return losses, gradients
        partner, partner_share, part = mixture
        others, other_gradients = self.compute(inputs, partner, partner_share, n_rows)
        wide = part[:, None, None]
        pairs = zip(gradients, other_gradients, strict=True)
        return (
            mixed(losses, others, part),
            tuple(mixed(own.mT, other.mT, wide).mT for own, other in pairs),
        )

    def _observe(self, inputs, target, share, n_rows, mixture):
        """Show each loss its batch, mixtures with the labels that have the larger part."""
        for i, (loss, n) in enumerate(zip(self.losses, n_rows, strict=True)):
            labels = target, share
            if mixture is not None and mixture[2][i] < 0.5:
                labels = mixture[:2]
            logits, *features = (x[i, :n] for x in inputs)
            loss.observe(logits, *(x[i, :n] for x in labels), *features)


class SequentialLoss:
    """The bound loss of one network, of which autograd computes the gradients.

    Parameters
    ----------
    loss : torch.nn.Module
        A bound loss.
    needs_features : bool, default=False
        Whether the loss looks at the features too.
    """

    def __init__(self, loss, needs_features=False):
        self.loss = loss
        self.parameters = list(loss.parameters())
        self.needs_features = needs_features

    def begin_epoch(self, epochs, n_epochs):
        """Tell a loss with a schedule its epoch."""
        if hasattr(self.loss, "set_epoch"):
            self.loss.set_epoch(*epochs, *n_epochs)

    def __call__(self, inputs, target, weight, n_rows, mixture=None):
        """Return the loss of a batch as a scalar; parameters are those of `StackedLoss`.

        Tensors of targets and weights have one row; the weights are not shares but as they were
        given, or None.
        """
        loss = self._loss(inputs, target, weight)
        if hasattr(self.loss, "observe"):
            self._observe(inputs, target, weight, mixture)
        if mixture is None:
            return loss
        partner, partner_weight, part = mixture
        return mixed(loss, self._loss(inputs, partner, partner_weight), part)

    def _observe(self, inputs, target, weight, mixture):
        """Show the loss a batch, mixtures with the labels that have the larger part."""
        if mixture is not None and mixture[2] < 0.5:
            target, weight = mixture[:2]
        logits, *features = (x.detach() for x in inputs)
        self.loss.observe(logits, target[0], None if weight is None else weight[0], *features)

    def _loss(self, inputs, target, weight):
        logits, *features = inputs
        given = {"features": features[0]} if self.needs_features else {}
        return self.loss(logits, target[0], None if weight is None else weight[0], **given)


def is_cross_entropy(loss):
    """Whether a bound loss is cross entropy, of which the gradient is a formula."""
    return isinstance(loss, BoundLoss) and loss.per_sample is cross_entropy


def is_formula(loss):
    """Whether a bound loss is known to change no tensor, and to look at each row for itself."""
    if not isinstance(loss, BoundLoss):
        return False
    return isinstance(loss.per_sample, Formula) or not isinstance(loss.per_sample, torch.nn.Module)


def _may_look_at_the_batch(loss, logits, target):
    """Whether the loss of a row depends on the others: rows that fill a batch up would be seen.

    So may one with tensors of its own, which it may change from batch to batch.
    """
    if any(True for _ in loss.per_sample.buffers()):
        return True
    without = loss.per_sample(logits, target)
    more = loss.per_sample(torch.cat([logits, -3.0 * logits]), torch.cat([target, target]))
    return not torch.allclose(more[: len(target)], without)


def _find_strategy(loss, logits, needs_features):
    """Return the function that makes `compute` of bound losses, from an example of them."""
    if is_cross_entropy(loss):
        return StackedCrossEntropy
    loss = deepcopy(loss)
    target = torch.arange(logits.shape[1], device=logits.device)
    logits = logits + torch.linspace(-1.0, 1.0, len(target)).to(logits)[:, None] * target
    weight = torch.ones_like(logits[:, 0])
    inputs = (logits, logits)[: 1 + needs_features]
    try:
        loss(logits, target, weight, *inputs[1:])
    except ValueError:  # it returns one number for a batch
        return partial(looped, takes_weights=False)
    try:
        if (
            isinstance(loss, BoundLoss)
            and not is_formula(loss)
            and _may_look_at_the_batch(loss, logits, target)
        ):
            return partial(looped, takes_weights=True)
        stacked = [tensor[None] for tensor in (*inputs, target, weight)]
        vmapped([loss])(stacked[:-2], *stacked[-2:], [len(target)])
    except RuntimeError:  # an operation that vmap does not know
        return partial(looped, takes_weights=True)
    return vmapped


class StackedCrossEntropy:
    """Cross entropy with the class weights of each network.

    L = -sum_i share_i log p_i(y_i) and dL/dz_ij = share_i (p_ij - [j = y_i]), with the shares
    s_i w_{y_i} / sum_i s_i.

    Parameters
    ----------
    losses : list of BoundLoss
    """

    def __init__(self, losses):
        self.class_weight = None
        for i, loss in enumerate(losses):
            if loss.class_weight is not None:
                if self.class_weight is None:
                    self.class_weight = loss.class_weight.new_ones(
                        len(losses), len(loss.class_weight)
                    )
                self.class_weight[i] = loss.class_weight

    def __call__(self, inputs, target, share, n_rows):
        (logits,) = inputs
        # Classes before rows: functions over the few classes are slow where these lie closest.
        log_proba = torch.log_softmax(logits.mT.contiguous(), dim=1)
        is_target = torch.zeros_like(log_proba).scatter_(1, target[:, None], 1.0)
        if self.class_weight is not None:
            share = share * self.class_weight.gather(1, target)
        share = share[:, None]
        losses = (log_proba * is_target).mul_(share).sum(dim=(1, 2)).neg_()
        gradients = log_proba.exp_().sub_(is_target).mul_(share)
        return losses, (gradients.mT,)


def vmapped(losses):
    """Losses and gradients by `torch.func.vmap`."""
    template = losses[0]
    tensors = {k: v for stacked in stack_module_state(losses) for k, v in stacked.items()}

    def loss(inputs, tensors, target, weight):
        logits, *features = inputs
        return functional_call(template, tensors, (logits, target, weight, *features))

    compute = vmap(grad_and_value(loss))

    def losses_and_gradients(inputs, target, share, n_rows):
        gradients, values = compute(tuple(inputs), tensors, target, share)
        return values, gradients

    return losses_and_gradients


def looped(losses, *, takes_weights):
    """Losses and gradients network by network."""

    def losses_and_gradients(inputs, target, share, n_rows):
        gradients = tuple(map(torch.zeros_like, inputs))
        values = []
        for i, (loss, n) in enumerate(zip(losses, n_rows, strict=True)):
            logits, *features = own = [x[i, :n].clone().requires_grad_() for x in inputs]
            weight = share[i, :n] if takes_weights else None
            with torch.enable_grad():
                value = loss(logits, target[i, :n], weight, *features)
            for gradient, part in zip(gradients, torch.autograd.grad(value, own), strict=True):
                gradient[i, :n] = part
            values.append(value.detach())
        return torch.stack(values), gradients

    return losses_and_gradients
