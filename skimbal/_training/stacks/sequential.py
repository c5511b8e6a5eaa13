"""One network by autograd: modules that can't be batched are trained one after another."""

import numpy as np

from skimbal.modules import OwnNetwork


class SequentialStack:
    """A module that is trained alone, in place.

    Parameters
    ----------
    modules : list of torch.nn.Module
        Of one entry.
    """

    def __init__(self, modules):
        (self.module,) = modules
        self.parameters = list(self.module.parameters())

    def begin_epoch(self, epochs):
        """Tell a module of which parts are frozen its epoch, counted from 1."""
        if isinstance(self.module, OwnNetwork):
            self.module.begin_epoch(*epochs)

    def are_finite(self):
        """Whether the parameters and buffers are finite, as an array of one entry."""
        tensors = (*self.parameters, *self.module.buffers())
        return np.array([all(bool(tensor.isfinite().all()) for tensor in tensors)])

    def write_to(self, module, i):
        """Do nothing: the module is trained in place."""

    def write_gradients_to(self, module, i):
        """Do nothing: autograd has put them there."""

    def compute_gradients(self, X, labels, loss):
        """Set the gradients of one batch.

        Parameters
        ----------
        X : tensor of shape (1, n, ...)
        labels : sequence
            What `loss` takes besides the outputs of the module.
        loss : SequentialLoss

        Returns
        -------
        losses : tensor of shape (1,)
        logits : tensor of shape (1, n, n_classes)
        """
        self.module.train()
        for parameter in (*self.parameters, *loss.parameters):  # zero_grad, at a tenth of its time
            parameter.grad = None
        given = {"with_features": True} if loss.needs_features else {}
        outputs = self.module(X[0], **given)
        outputs = outputs if loss.needs_features else (outputs,)
        value = loss(outputs, *labels)
        value.backward()
        return value.detach()[None], outputs[0].detach()[None]
