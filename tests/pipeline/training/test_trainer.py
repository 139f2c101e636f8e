import numpy as np
import pytest
import tensorflow as tf

from pipeline.base.classes import N_CLASSES
from pipeline.base.errors import TrainingError
from pipeline.config.values import load_config
from pipeline.dataset.splits import NO_DIGIT, Split
from pipeline.network.history import Epoch
from pipeline.network.networks import build_network
from pipeline.runtime.mode import set_up
from pipeline.training.trainer import Trainer, image_losses, predict_logits

# Small batches: the few images of a test give enough steps to learn something.
CONFIG = load_config(["model.width=0.25", "train.epochs=2", "train.warmup_epochs=0", "train.batch_size=16"])


@pytest.fixture(scope="module")
def splits(digits):
    """500 and 200 digits for training and validation, and the same images turned by a quarter as non-digits."""
    order = np.random.default_rng(0).permutation(len(digits[1]))
    images, labels = digits[0][order], digits[1][order]
    return [
        Split(
            np.concatenate([images[part], images[part].transpose(0, 2, 1)[:, ::-1]]),
            np.concatenate([labels[part], np.full_like(labels[part], NO_DIGIT)]),
        )
        for part in (slice(500), slice(500, 700))
    ]


def new_trainer(splits, config=CONFIG):
    set_up(config.runtime, config.train.seed)
    return Trainer(build_network(config.model), *splits, config.train)


def train(splits):
    """Return a trainer and what its `fit` returned."""
    trainer = new_trainer(splits)
    return trainer, *trainer.fit(lambda *_: None)


@pytest.fixture(scope="module")
def trained(splits):
    return train(splits)


def equal(weights, others):
    return all(np.array_equal(*pair) for pair in zip(weights, others, strict=True))


@pytest.mark.workflow
def test_a_second_training_in_the_same_process_is_equal_to_the_bit(trained, splits):
    (_, history, weights), (_, again, others) = trained, train(splits)
    assert history == again
    assert equal(weights, others)


def test_refusal_is_learnt_and_accuracy_counts_digits_only(trained, splits):
    (trainer, history, weights), (_, validation) = trained, splits
    assert history[-1].val_loss < history[0].val_loss
    assert len(history) == CONFIG.train.epochs  # without patience the last epoch's averaged weights are kept
    assert equal(weights, trainer.average.get_weights())
    assert not np.array_equal(weights[0], trainer.network.get_weights()[0])
    logits = predict_logits(trainer.average, validation.images)
    is_digit = validation.labels != NO_DIGIT
    assert np.median(logits[is_digit, N_CLASSES]) > np.median(logits[~is_digit, N_CLASSES]) + 0.5
    right = logits[is_digit, :N_CLASSES].argmax(axis=1) == validation.labels[is_digit]
    assert history[-1].val_accuracy == right.mean() > 0.5


def operations(graph):
    """Names of all operations of a traced function, its loops' and branches' included."""
    definition = graph.as_graph_def()
    functions = [node for function in definition.library.function for node in function.node_def]
    return {node.op for node in [*definition.node, *functions]}


def test_a_step_has_no_operation_that_cpu_vendors_round_differently(trained):
    # Their instructions, rcpps and rsqrtps, are approximate by definition, and AMD's are not Intel's.
    approximate = {"Inv", "InvGrad", "Reciprocal", "ReciprocalGrad", "Rsqrt", "RsqrtGrad",
                   "FusedBatchNormV3", "FusedBatchNormGradV3"}  # fmt: skip
    traced = trained[0]._run_steps.get_concrete_function(tf.TensorSpec([1000 // 16, 16], tf.int32))
    steps = operations(traced.graph)
    assert steps >= {"Conv2DBackpropFilter", "Softplus"}  # loops, gradients and the loss are looked into
    assert not steps & approximate
    cross_entropy = tf.function(tf.nn.sigmoid_cross_entropy_with_logits)
    plain = tf.function(lambda x: tf.gradients(cross_entropy(tf.zeros(3), x), x))
    assert operations(plain.get_concrete_function(tf.TensorSpec([3])).graph) & approximate  # the test can fail


def test_the_refusal_loss_is_the_weighted_sigmoid_cross_entropy():
    scores = tf.constant([-40.0, -3.0, 0.0, 2.0, 40.0] * 2)
    logits = tf.concat([tf.zeros([10, N_CLASSES]), scores[:, None]], axis=1)  # of no class more than of another
    losses = image_losses(tf.constant([NO_DIGIT] * 5 + [3] * 5), logits, smoothing=0.1, refusal_weight=0.3)
    of_being_one = tf.nn.sigmoid_cross_entropy_with_logits(tf.constant([0.0] * 5 + [1.0] * 5), scores)
    np.testing.assert_allclose(losses, [0] * 5 + [np.log(N_CLASSES)] * 5 + 0.3 * of_being_one, rtol=1e-6)


def test_later_epochs_use_the_hardest_images_and_leave_none_out_for_long(splits, monkeypatch):
    trainer = new_trainer(splits, load_config(["model.width=0.25", "train.hardest=0.5", "train.batch_size=20"]))
    losses, used = np.linspace(0.01, 1, 1000, dtype=np.float32), []

    def run_steps(order):
        used.append(order.numpy().ravel())
        return 0.0, 0.0, tf.constant(losses[order])

    monkeypatch.setattr(trainer, "_run_steps", run_steps)
    for number in range(1, 7):
        trainer.run_epoch(number)
    assert sorted(used[0]) == list(range(1000))
    assert set(used[1]) == set(range(500, 1000))
    assert not np.array_equal(used[1], np.sort(used[1]))
    assert [len(set(images)) for images in used[2:]] == [500] * 4
    assert set(np.concatenate(used[2:])) == set(range(1000))


@pytest.mark.parametrize("losses", [(np.nan, 1.0), (1.0, np.inf)])
def test_a_loss_that_is_not_finite_ends_the_training(splits, monkeypatch, losses):
    trainer = new_trainer(splits)
    monkeypatch.setattr(trainer, "run_epoch", lambda number: Epoch(number, losses[0], 0.1, losses[1], 0.1, 0.1))
    with pytest.raises(TrainingError, match=r"train\.learning_rate"):
        trainer.fit(lambda *_: None)


@pytest.mark.parametrize(("schedule", "last"), [("cosine", 0.0), ("constant", 0.002)])
@pytest.mark.parametrize("warmup_epochs", [0, 1])
def test_the_learning_rate_follows_its_schedule_after_the_warm_up(splits, schedule, last, warmup_epochs):
    recipe = {"epochs": 3, "hardest": 1.0, "schedule": schedule, "warmup_epochs": warmup_epochs, "learning_rate": 0.002}
    trainer = Trainer(build_network(CONFIG.model), *splits, CONFIG.train.model_copy(update=recipe))
    n_steps, rate = trainer.n_steps, trainer._schedule()
    assert float(rate(0)) == pytest.approx(0.0 if warmup_epochs else 0.002)
    assert float(rate(n_steps // 3)) == pytest.approx(0.002, rel=0.3)  # a cosine without a warm-up has begun to fall
    assert float(rate(n_steps)) == pytest.approx(last, abs=1e-9)


def test_with_patience_training_stops_early_and_keeps_the_best_weights(splits, monkeypatch):
    config = load_config(["model.width=0.25", "train.epochs=12", "train.patience=2"])
    trainer, accuracies = new_trainer(splits, config), [0.8, 0.9, 0.9, 0.7, 0.6, 1.0]

    def run_epoch(number):
        trainer.average.set_weights([np.full_like(weights, number) for weights in trainer.average.get_weights()])
        return Epoch(number, 1.0, 0.5, 1.0, accuracies[number - 1], 0.1)

    monkeypatch.setattr(trainer, "run_epoch", run_epoch)
    history, weights = trainer.fit(lambda *_: None)
    assert len(history) == 5
    assert {float(value) for array in weights for value in array.flat} == {3.0}  # the latest of the most accurate


def test_without_averaging_the_kept_weights_are_the_network_s_with_batch_statistics(splits):
    few = [split[:64] for split in splits]
    trainer = new_trainer(few, load_config(["experiment=batchnorm", "model.width=0.25", "train.epochs=1"]))
    before = [weights.copy() for weights in trainer.network.get_weights()]
    trainer.run_epoch(1)
    after = trainer.network.get_weights()
    assert equal(after, trainer.average.get_weights())
    assert not any(np.array_equal(*pair) for pair in zip(before, after, strict=True))


def test_the_graphs_of_several_trainings_cause_no_warning(caplog):
    class Traced:
        @tf.function
        def run(self):
            return tf.constant(1)

    for _ in range(6):
        Traced().run()
    assert caplog.messages == []
