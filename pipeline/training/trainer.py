"""The training loop: shuffled and augmented batches, a learning rate schedule, averaged weights."""

import logging
import time
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from pipeline.base.classes import N_CLASSES
from pipeline.base.errors import TrainingError
from pipeline.config.schema import TrainConfig
from pipeline.dataset.splits import NO_DIGIT, Split
from pipeline.network.calibration import mean_cross_entropy
from pipeline.network.history import Epoch, kept_epoch
from pipeline.training.augment import augment
from pipeline.training.optimizer import build_optimizer

log = logging.getLogger(__name__)
# Each training of a sweep has its own graph. From the fifth on, TensorFlow would warn of it.
tf.get_logger().addFilter(lambda record: "triggered tf.function retracing" not in record.getMessage())
RETURN = 4.5  # growth of an image's priority in each epoch; so an easy image comes back after a few


class Trainer:
    """Train `network`. Its copy `average` has the moving average of the weights; it is validated and kept.

    The first epoch uses all images. Each later one uses the share `train.hardest` with the highest priorities. The
    priority of an image is its last loss, multiplied by `RETURN` for each epoch since then. The idea is that of
    Loshchilov and Hutter, 2016: "Online batch selection for faster training of neural networks".
    """

    def __init__(self, network: keras.Model, train: Split, validation: Split, config: TrainConfig) -> None:
        self.network = network
        self.average = keras.models.clone_model(network)
        self.average.set_weights(network.get_weights())
        self._config = config
        self._images = tf.constant(train.images[..., None])
        self._labels = tf.constant(train.labels)
        self._validation = validation
        self._batch_size = min(config.batch_size, len(train.labels))
        self._priorities = np.full(len(train.labels), np.inf, np.float32)
        self._order = np.random.default_rng(config.seed)
        self._step = tf.Variable(0, dtype=tf.int32)
        self._optimizer = build_optimizer(config, self._schedule(), network.trainable_variables)

    @property
    def n_steps(self) -> int:
        """Return the number of steps of all epochs."""
        return sum(self._n_steps_of(epoch) for epoch in range(1, self._config.epochs + 1))

    def _n_steps_of(self, epoch: int) -> int:
        share = self._config.hardest if epoch > 1 else 1.0
        return max(1, int(share * len(self._labels)) // self._batch_size)

    def _schedule(self) -> keras.optimizers.schedules.LearningRateSchedule:
        warmup_steps = int(self._config.warmup_epochs * self._n_steps_of(1))
        decay_steps = max(1, self.n_steps - warmup_steps)
        peak = self._config.learning_rate
        lowest = {"cosine": 0.0, "constant": 1.0}[self._config.schedule]  # share of the peak
        warmup = {"warmup_target": peak, "warmup_steps": warmup_steps} if warmup_steps else {}
        return keras.optimizers.schedules.CosineDecay(0.0 if warmup else peak, decay_steps, lowest, **warmup)

    def fit(self, on_epoch: Callable[[Epoch, float], None]) -> tuple[list[Epoch], list[np.ndarray]]:
        """Train for all epochs, or until the accuracy has not improved for `train.patience` epochs.

        Args:
            on_epoch: called with the figures of each epoch and its seconds.

        Returns:
            The figures of every epoch, and the averaged weights of the kept epoch.

        Raises:
            TrainingError: the loss is not finite.
        """
        history: list[Epoch] = []
        weights: list[np.ndarray] = []
        n_epochs, patience = self._config.epochs, self._config.patience
        log.info("%d weights, %d images", self.network.count_params(), len(self._images))
        started = time.perf_counter()
        for number in range(1, n_epochs + 1):
            epoch_started = time.perf_counter()
            epoch = self.run_epoch(number)
            seconds = time.perf_counter() - epoch_started
            log.info(
                "epoch %d/%d  loss %.4f  val_loss %.4f  val_accuracy %.2f %%  %.1f s",
                number, n_epochs, epoch.loss, epoch.val_loss, 100 * epoch.val_accuracy, seconds,
            )  # fmt: skip
            if not np.isfinite(epoch.loss + epoch.val_loss):
                losses = f"{epoch.loss}, in validation {epoch.val_loss}"
                raise TrainingError(f"the loss of epoch {number} is {losses}: lower train.learning_rate")
            on_epoch(epoch, seconds)
            history.append(epoch)
            kept = kept_epoch(history, patience)
            if epoch is kept:
                weights = self.average.get_weights()
            elif patience and number - kept.epoch >= patience:
                log.info("no better validation accuracy for %d epochs: stopped", patience)
                break
        seconds = time.perf_counter() - started
        log.info("kept epoch %d; %.0f s in all, %.1f s an epoch", kept.epoch, seconds, seconds / len(history))
        return history, weights

    def run_epoch(self, epoch: int) -> Epoch:
        """Train on the images with the highest priorities, then validate the averaged weights."""
        n_steps = self._n_steps_of(epoch)
        order = self._order.permutation(np.argsort(-self._priorities, kind="stable")[: n_steps * self._batch_size])
        loss, accuracy, losses = self._run_steps(tf.constant(order.reshape(n_steps, self._batch_size), tf.int32))
        self._priorities *= RETURN
        self._priorities[order] = losses.numpy().ravel()
        logits, labels = predict_logits(self.average, self._validation.images), self._validation.labels
        is_digit = labels != NO_DIGIT
        classes = logits[is_digit, :N_CLASSES]
        return Epoch(
            epoch=epoch,
            loss=float(loss),
            accuracy=float(accuracy),
            val_loss=mean_cross_entropy(classes, labels[is_digit]),
            val_accuracy=float((classes.argmax(axis=1) == labels[is_digit]).mean()),
            learning_rate=float(self._optimizer.learning_rate),
        )

    @tf.function
    def _run_steps(self, order: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Run all steps of an epoch in one graph.

        Args:
            order: int32 ``[n_steps, batch_size]`` of image indices.

        Returns:
            The mean loss, the accuracy on the digits, and the loss of each image without smoothing and weight, float32
            ``[n_steps, batch_size]``.
        """
        n_steps = tf.shape(order)[0]
        loss_sum, n_right, n_digits = tf.constant(0.0), tf.constant(0.0), tf.constant(0.0)
        plain_losses = tf.TensorArray(tf.float32, n_steps)
        for step in tf.range(n_steps):
            images, labels = tf.gather(self._images, order[step]), tf.gather(self._labels, order[step])
            seed = tf.stack([self._config.seed, self._step])
            images = augment(tf.cast(images, tf.float32) / 255.0, self._config.augment, seed)
            with tf.GradientTape() as tape:
                logits = self.network(images, training=True)
                losses = image_losses(labels, logits, self._config.label_smoothing, self._config.refusal_weight)
                loss = tf.reduce_mean(losses)
            gradients = tape.gradient(loss, self.network.trainable_variables)
            self._optimizer.apply_gradients(zip(gradients, self.network.trainable_variables, strict=True))
            self._update_average()
            loss_sum += loss
            plain_losses = plain_losses.write(step, image_losses(labels, logits, 0.0, 1.0))
            predicted = tf.argmax(logits[:, :N_CLASSES], 1, tf.int32)
            n_digits += tf.reduce_sum(tf.cast(labels != NO_DIGIT, tf.float32))
            n_right += tf.reduce_sum(tf.cast(predicted == labels, tf.float32))
        return loss_sum / tf.cast(n_steps, tf.float32), n_right / n_digits, plain_losses.stack()

    def _update_average(self) -> None:
        self._step.assign_add(1)
        step = tf.cast(self._step, tf.float32)
        # A smaller decay at first, so that the random initial weights vanish from the average.
        decay = tf.minimum(self._config.ema_decay, (1.0 + step) / (10.0 + step))
        for averaged, current in zip(self.average.weights, self.network.weights, strict=True):
            averaged.assign(decay * averaged + (1.0 - decay) * current)


def image_losses(labels: tf.Tensor, logits: tf.Tensor, smoothing: float, refusal_weight: float) -> tf.Tensor:
    """Return the class loss (0 for non-digits) plus the weighted refusal loss of each image: float32 ``[batch]``."""
    is_digit = tf.cast(labels != NO_DIGIT, tf.float32)
    classes = tf.one_hot(labels, N_CLASSES) * (1.0 - smoothing) + smoothing / N_CLASSES
    of_class = tf.nn.softmax_cross_entropy_with_logits(classes, logits[:, :N_CLASSES]) * is_digit
    # Sigmoid cross-entropy. TensorFlow's function uses a reciprocal instruction that CPU vendors round differently.
    of_refusal = tf.nn.softplus(tf.where(is_digit > 0, -logits[:, N_CLASSES], logits[:, N_CLASSES]))
    return of_class + refusal_weight * of_refusal


def predict_logits(network: keras.Model, images: np.ndarray, batch_size: int = 1000) -> np.ndarray:
    """Return the logits of normalised images: uint8 ``[n, 28, 28]`` -> float32 ``[n, N_OUTPUTS]``."""
    batches = (images[start : start + batch_size] for start in range(0, len(images), batch_size))
    inputs = (tf.constant(batch[..., None], tf.float32) / 255.0 for batch in batches)
    return np.concatenate([network(batch, training=False).numpy() for batch in inputs])
