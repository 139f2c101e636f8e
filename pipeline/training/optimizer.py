"""The optimisers that `train.optimizer` can name."""

import keras
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule

from pipeline.config.schema import TrainConfig


class Muon(keras.optimizers.Muon):
    """Muon for convolutions. Keras's Muon leaves kernels of more than two axes to Adam.

    A kernel ``[rows, columns, channels, filters]`` becomes a matrix ``[rows x columns x channels, filters]``, whose
    momentum is made orthogonal (Jordan et al., 2024, "Muon: An optimizer for hidden layers in neural networks"). Adam
    updates the last layer and the biases, as that source advises.
    """

    def _should_use_adamw(self, variable: keras.Variable) -> bool:
        return len(variable.shape) != 4

    def _muon_update_step(
        self, gradient: keras.KerasTensor, variable: keras.Variable, lr: keras.KerasTensor, m: keras.Variable
    ) -> None:
        self.assign_add(m, ops.add(gradient, m * (self.momentum - 1)))
        ahead = ops.reshape(ops.add(gradient, self.momentum * m), (-1, variable.shape[-1]))  # Nesterov momentum
        update = self.lr_adjust(lr * self.zeropower_via_newtonschulz5(ahead, self.ns_steps))
        self.assign_sub(variable, ops.reshape(update, variable.shape))


def build_optimizer(
    config: TrainConfig, learning_rate: LearningRateSchedule, variables: list[keras.Variable]
) -> keras.optimizers.Optimizer:
    """Return the optimiser of `config`. Biases and the weights of normalisations do not decay."""
    if config.optimizer == "muon":
        optimizer = Muon(learning_rate, weight_decay=config.weight_decay, adam_weight_decay=config.weight_decay)
    else:
        optimizer = keras.optimizers.AdamW(learning_rate, weight_decay=config.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["bias", "beta", "gamma"])
    optimizer.build(variables)
    return optimizer
