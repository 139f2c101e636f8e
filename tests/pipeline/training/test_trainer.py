import numpy as np
import pytest
import tensorflow as tf

from pipeline.base.classes import N_CLASSES
from pipeline.base.errors import TrainingError
from pipeline.config.values import load_config
from pipeline.dataset.splits import NO_DIGIT, Split
from pipeline.network.history import Epoch, kept_epoch
from pipeline.network.networks import build_network
from pipeline.runtime.mode import set_up
from pipeline.training.trainer import Trainer, predict_logits

# Small batches: the few images of a test give enough steps to learn something.
CONFIG = load_config(["model.width=0.25", "train.epochs=3", "train.warmup_epochs=0", "train.batch_size=16"])


@pytest.fixture(scope="module")
def splits(digits):
    images, labels = digits
    order = np.random.default_rng(0).permutation(len(labels))[:1200]
    images, labels = images[order], labels[order].astype(np.int32)
    return Split(images[:1000], labels[:1000]), Split(images[1000:], labels[1000:])


def trained(splits, n_epochs):
    set_up(CONFIG.runtime, CONFIG.train.seed)
    trainer = Trainer(build_network(CONFIG.model), *splits, CONFIG.train)
    return trainer, [trainer.run_epoch(number) for number in range(1, n_epochs + 1)]


def test_it_learns_and_repeats_to_the_bit(splits):
    (first, history), (second, again) = trained(splits, 3), trained(splits, 3)
    assert history[-1].val_accuracy > 0.5
    assert history[-1].loss < history[0].loss
    assert history == again
    for one, other in zip(first.average.get_weights(), second.average.get_weights(), strict=True):
        assert np.array_equal(one, other)


def operations(graph):
    """Names of all operations of a traced function, its loops' and branches' included."""
    definition = graph.as_graph_def()
    functions = [node for function in definition.library.function for node in function.node_def]
    return {node.op for node in [*definition.node, *functions]}


def test_a_step_has_no_operation_that_cpu_vendors_round_differently(splits):
    # Their instructions, rcpps and rsqrtps, are approximate by definition, and AMD's are not Intel's.
    approximate = {"Inv", "InvGrad", "Reciprocal", "ReciprocalGrad", "Rsqrt", "RsqrtGrad",
                   "FusedBatchNormV3", "FusedBatchNormGradV3"}  # fmt: skip
    trainer, _ = trained(splits, 0)
    steps = operations(trainer._run_steps.get_concrete_function(tf.TensorSpec([None, 16], tf.int32)).graph)
    assert steps >= {"Conv2DBackpropFilter", "Softplus"}  # loops, gradients and the loss are looked into
    assert not steps & approximate
    cross_entropy = tf.function(tf.nn.sigmoid_cross_entropy_with_logits)
    plain = tf.function(lambda x: tf.gradients(cross_entropy(tf.zeros(3), x), x))
    assert operations(plain.get_concrete_function(tf.TensorSpec([3])).graph) & approximate  # the test can fail


def test_the_refusal_loss_is_the_weighted_sigmoid_cross_entropy(splits):
    trainer, _ = trained(splits, 0)
    scores = tf.constant([-40.0, -3.0, 0.0, 2.0, 40.0] * 2)
    logits = tf.concat([tf.zeros([10, N_CLASSES]), scores[:, None]], axis=1)  # of no class more than of another
    loss = trainer._loss(tf.constant([NO_DIGIT] * 5 + [3] * 5), logits)
    of_being_one = tf.nn.sigmoid_cross_entropy_with_logits(tf.constant([0.0] * 5 + [1.0] * 5), scores)
    expected = np.log(N_CLASSES) / 2 + CONFIG.train.refusal_weight * np.mean(of_being_one)  # half of them are digits
    assert float(loss) == pytest.approx(expected, rel=1e-6)


def test_a_loss_that_is_not_finite_ends_the_training(splits):
    trainer, _ = trained(splits, 0)
    trainer.network.set_weights([np.full_like(weights, np.nan) for weights in trainer.network.get_weights()])
    with pytest.raises(TrainingError, match=r"train\.learning_rate"):
        trainer.fit(lambda *_: None)


def test_without_patience_the_last_epoch_s_averaged_weights_are_kept(splits):
    config = CONFIG.train.model_copy(update={"epochs": 2, "patience": None})
    trainer = Trainer(build_network(CONFIG.model), *splits, config)
    history, weights = trainer.fit(lambda *_: None)
    assert len(history) == 2
    for kept, last in zip(weights, trainer.average.get_weights(), strict=True):
        assert np.array_equal(kept, last)
    logits = predict_logits(trainer.average, splits[1].images)
    assert history[1].val_accuracy == (logits[:, :N_CLASSES].argmax(axis=1) == splits[1].labels).mean()
    assert not np.array_equal(trainer.average.get_weights()[0], trainer.network.get_weights()[0])


def test_refusal_is_learnt_and_accuracy_counts_digits_only(splits):
    train, validation = (
        Split(
            np.concatenate([split.images, split.images.transpose(0, 2, 1)[:, ::-1]]),  # turned by a quarter
            np.concatenate([split.labels, np.full_like(split.labels, NO_DIGIT)]),
        )
        for split in splits
    )
    trainer, history = trained((train, validation), 5)
    logits = predict_logits(trainer.average, validation.images)
    is_digit = validation.labels != NO_DIGIT
    assert np.median(logits[is_digit, N_CLASSES]) > np.median(logits[~is_digit, N_CLASSES]) + 0.5
    right = logits[is_digit, :N_CLASSES].argmax(axis=1) == validation.labels[is_digit]
    assert history[-1].val_accuracy == right.mean() > 0.5


def test_the_best_epoch_is_the_latest_of_the_most_accurate():
    def epoch(number, accuracy):
        return Epoch(number, 1.0, 0.5, 1.0, accuracy, 0.1)

    history = [epoch(1, 0.8), epoch(2, 0.9), epoch(3, 0.9), epoch(4, 0.7)]
    assert kept_epoch(history, patience=2).epoch == 3
    assert kept_epoch(history, patience=None).epoch == 4


@pytest.mark.parametrize(("schedule", "last"), [("cosine", 0.0), ("constant", 0.002)])
@pytest.mark.parametrize("warmup_epochs", [0, 1])
def test_the_learning_rate_follows_its_schedule_after_the_warm_up(splits, schedule, last, warmup_epochs):
    recipe = {"schedule": schedule, "warmup_epochs": warmup_epochs, "learning_rate": 0.002}
    trainer = Trainer(build_network(CONFIG.model), *splits, CONFIG.train.model_copy(update=recipe))
    n_steps, rate = 3 * (1000 // 16), trainer._schedule()
    assert float(rate(0)) == pytest.approx(0.0 if warmup_epochs else 0.002)
    assert float(rate(n_steps // 3)) == pytest.approx(0.002, rel=0.3)  # a cosine without a warm-up has begun to fall
    assert float(rate(n_steps)) == pytest.approx(last, abs=1e-9)


def test_with_patience_training_stops_early_and_keeps_the_best_weights(splits):
    # So fast that it is at its best soon.
    config = load_config(["experiment=high_lr", "model.width=0.25", "train.epochs=12", "train.patience=1"])
    set_up(config.runtime, 0)
    trainer = Trainer(build_network(config.model), *splits, config.train)
    history, weights = trainer.fit(lambda *_: None)
    best = kept_epoch(history, patience=1)
    assert len(history) == best.epoch + 1 < 12
    trainer.average.set_weights(weights)
    logits = predict_logits(trainer.average, splits[1].images)
    assert best.val_accuracy == (logits[:, :N_CLASSES].argmax(axis=1) == splits[1].labels).mean()


def test_without_averaging_the_kept_weights_are_the_network_s_with_batch_statistics(splits):
    config = load_config(["experiment=batchnorm", "model.width=0.25", "train.epochs=1"])
    trainer = Trainer(build_network(config.model), *splits, config.train)
    before = [weights.copy() for weights in trainer.network.get_weights()]
    trainer.run_epoch(1)
    followed = zip(before, trainer.network.get_weights(), trainer.average.get_weights(), strict=True)
    for old, current, averaged in followed:
        assert np.array_equal(current, averaged)
        assert not np.array_equal(old, current)
