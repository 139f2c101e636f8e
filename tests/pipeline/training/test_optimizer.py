import keras
import numpy as np
import pytest

from pipeline.config.values import load_config
from pipeline.network.networks import build_network
from pipeline.training.optimizer import build_optimizer

CONFIG = load_config(["model.width=0.5"])
LEARNING_RATE = 0.01
SCHEDULE = keras.optimizers.schedules.PolynomialDecay(LEARNING_RATE, 1000, LEARNING_RATE)  # constant


def steps(optimizer, gradients, weight_decay=0.0):
    """Return by how much each step moves each variable; all start at 1."""
    network = build_network(CONFIG.model)
    network.set_weights([np.ones_like(weights) for weights in network.get_weights()])
    config = CONFIG.train.model_copy(update={"optimizer": optimizer, "weight_decay": weight_decay})
    built = build_optimizer(config, SCHEDULE, network.trainable_variables)
    moves = []
    for step in gradients(network):
        before = network.get_weights()
        built.apply_gradients(zip(step, network.trainable_variables, strict=True))
        moves.append([after - old for after, old in zip(network.get_weights(), before, strict=True)])
    return moves


def random_gradients(network):
    rng = np.random.default_rng(1)
    return [[rng.standard_normal(v.shape).astype(np.float32) for v in network.trainable_variables]]


def no_gradients(network):
    return [[np.zeros(v.shape, np.float32) for v in network.trainable_variables]]


def test_muon_moves_kernels_by_orthogonal_matrices_against_the_gradient():
    (moves,), (gradients,) = steps("muon", random_gradients), random_gradients(build_network(CONFIG.model))
    kernels = [(move, gradient) for move, gradient in zip(moves, gradients, strict=True) if move.ndim == 4]
    assert len(kernels) == 5
    for move, gradient in kernels:
        matrix = move.reshape(-1, move.shape[-1])
        # Keras scales by 0.2 and the root of the longer side, so that a step is as long as one of Adam's.
        stretches = np.linalg.svd(matrix, compute_uv=False) / (LEARNING_RATE * 0.2 * max(matrix.shape) ** 0.5)
        # Five Newton-Schulz iterations bring the singular values only near 1.
        assert stretches.min() > 0.5
        assert stretches.max() < 1.3
        assert (move * gradient).sum() < 0


def test_adam_updates_the_last_layer_and_the_biases():
    (moves,), (others,) = steps("muon", random_gradients), steps("adamw", random_gradients)
    for move, other in zip(moves, others, strict=True):
        if move.ndim < 4:
            assert move == pytest.approx(other, rel=1e-4)


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_all_but_biases_decay_relative_to_the_learning_rate(optimizer):
    (moves,) = steps(optimizer, no_gradients, weight_decay=0.5)
    for move in moves:
        assert move == pytest.approx(-LEARNING_RATE * 0.5 if move.ndim > 1 else 0, abs=1e-6)
