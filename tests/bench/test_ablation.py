import numpy as np

from bench import ablation
from pipeline.config.values import load_config
from pipeline.dataset.splits import Split

CONFIG = load_config(["model.width=0.25", "train.batch_size=32"])


def test_every_variant_sees_the_same_number_of_digits(monkeypatch):
    images, labels = np.zeros((250, 28, 28), np.uint8), np.zeros(250, np.int32)
    epochs = []
    monkeypatch.setattr(ablation.Trainer, "run_epoch", lambda _, number: epochs.append(number))
    for n_digits in (100, 250):
        ablation.train(CONFIG, ablation.head(Split(images, labels), n_digits), Split(images[:20], labels[:20] - 1), 500)
    assert epochs == [1, 2, 3, 4, 5, 1, 2]
