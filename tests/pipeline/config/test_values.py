import hashlib
import re
import shutil
import subprocess
import sys

import pytest
import yaml
from dvc.utils.hydra import compose_and_dump

from pipeline.base.errors import ConfigError
from pipeline.base.paths import CONF, ROOT
from pipeline.config import values
from pipeline.config.schema import NETWORKS, Config, describe
from pipeline.config.values import dump, flatten, load_config, params_sha256


def test_dump_returns_the_values_of_params_yaml():
    assert yaml.safe_load(dump(load_config())) == yaml.safe_load((ROOT / "params.yaml").read_text())


def test_the_order_of_the_keys_in_params_yaml_does_not_matter(monkeypatch, tmp_path):
    def reverse(values):
        return {key: reverse(values[key]) for key in reversed(values)} if isinstance(values, dict) else values

    shutil.copytree(CONF, tmp_path / "conf")
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(reverse(yaml.safe_load(dump(load_config()))), sort_keys=False))
    expected = dump(load_config()), params_sha256(load_config())
    monkeypatch.setattr(values, "CONF", tmp_path / "conf")
    assert (dump(load_config()), params_sha256(load_config())) == expected


@pytest.mark.parametrize("missing", ["conf", "params.yaml"])
def test_without_a_checkout_the_error_names_the_folder_and_the_remedy(missing, monkeypatch, tmp_path):
    (tmp_path / "conf").mkdir()
    (tmp_path / "params.yaml").touch()
    (tmp_path / missing).rename(tmp_path / "away")
    monkeypatch.setattr(values, "ROOT", tmp_path)
    monkeypatch.setattr(values, "CONF", tmp_path / "conf")
    with pytest.raises(ConfigError, match=f"no {missing} in {re.escape(str(tmp_path))}: .*checkout of Inkling"):
        load_config()


def test_override_changes_only_its_value():
    assert flatten(load_config(["train.learning_rate=0.01"])) == flatten(load_config()) | {"train.learning_rate": 0.01}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("train.learning_rte=0.1", "train.learning_rte"),
        ("+train.learning_rte=0.1", "train.learning_rte is not a known parameter"),
        ("train.learning_rate=fast", "train.learning_rate: input should be a valid number, not 'fast'"),
        ("train.learning_rate=3", "train.learning_rate: input should be less than or equal to 1, not 3"),
        ("train.learning_rate=nan", "train.learning_rate"),
        ("train.epochs=1.5", "train.epochs: input should be a valid integer, not 1.5"),
        ("train.epochs='3'", "train.epochs: input should be a valid integer, not '3'"),
        ("data.source=cifar", "data.source: input should be 'mnist' or 'embedded', not 'cifar'"),
        ("train.augment.rotation=-1", "train.augment.rotation: input should be greater than or equal to 0, not -1"),
        (
            "train.parts=[mnist,cifar]",
            "train.parts.1: input should be 'mnist', 'pendigits', 'skeletons' or 'nondigits'",
        ),
        ("train.parts=[]", "train.parts: list should have at least 1 item"),
        ("~train.epochs", "train.epochs is missing"),
        ("model=huge", "huge"),
        ("train.epochs=[", "train.epochs"),
        ("train.epochs=${nope}", "nope"),
        ("runtime.precision=auto", "runtime: mode=portable needs precision=float32 and deterministic=true"),
        ("runtime.deterministic=false", "mode=fast takes precision=float32 and deterministic=false"),
    ],
)
def test_bad_override_is_refused_and_its_key_named(override, message):
    with pytest.raises(ConfigError) as refusal:
        load_config([override])
    assert message in str(refusal.value)


def test_the_networks_are_the_modules_of_their_folder():
    with pytest.raises(ConfigError, match=r"model\.name: input should be .*, not 'nonsense'") as refusal:
        load_config(["model.name=nonsense"])
    for module in (ROOT / "pipeline/network/architectures").glob("[!_]*.py"):
        assert module.stem in NETWORKS
        assert f"'{module.stem}'" in str(refusal.value)
    assert describe("model.name").endswith(f"[{', '.join(NETWORKS)}]")


@pytest.mark.parametrize("preset", sorted(CONF.glob("*/*.yaml")), ids=lambda path: f"{path.parent.name}={path.stem}")
def test_preset_composes_alike_for_dvc_and_is_headed_by_its_command(preset, tmp_path):
    override = f"{preset.parent.name}={preset.stem}"
    compose_and_dump(str(tmp_path / "params.yaml"), str(CONF), None, "config", str(ROOT), [override])
    composed = yaml.safe_load((tmp_path / "params.yaml").read_text())
    assert composed == yaml.safe_load(dump(load_config([override])))
    comments = [line for line in preset.read_text().splitlines() if line.startswith("#")]
    assert any(line.startswith("#   ") for line in comments)


PUBLISHED = {
    "baseline": (0.9927, {}),
    "high_lr": (0.1028, {"train.learning_rate": 0.05}),
    "no_dropout": (0.9894, {"model.dropout": 0}),
    "tiny_batch": (0.9928, {"train.batch_size": 8}),
    "augmentation": (0.9897, {"model.dropout": 0.4, "train.augment.rotation": 0.175, "train.augment.scale": 0.1,
                              "train.augment.shift": 2.8}),
    "batchnorm": (0.9918, {"model.dropout": 0.4, "model.batchnorm": True, "train.learning_rate": 0.0005}),
}  # fmt: skip


def test_the_experiments_are_the_published_ones():
    # `experiment=glob(*)` runs whatever lies there.
    assert {preset.stem for preset in (CONF / "experiment").iterdir()} == set(PUBLISHED)


@pytest.mark.parametrize("name", PUBLISHED)
def test_an_experiment_differs_from_the_baseline_in_what_was_published(name):
    baseline, values = (flatten(load_config([f"experiment={one}"])) for one in ("baseline", name))
    accuracy, wanted = PUBLISHED[name]
    assert values["experiment.name"] == name
    assert values["experiment.hypothesis"]
    assert values["experiment.published"] == accuracy
    differing = {key: value for key, value in values.items() if baseline[key] != value}
    assert {key: value for key, value in differing.items() if not key.startswith("experiment.")} == wanted


def test_the_baseline_is_plain_adam_on_mnist_alone():
    config = load_config(["experiment=baseline"])
    assert (config.model.name, config.model.dropout) == ("seed_vision", 0.5)
    recipe = config.train
    assert (recipe.parts, recipe.batch_size, recipe.learning_rate) == (["mnist"], 64, 0.001)
    assert (recipe.optimizer, recipe.weight_decay, recipe.schedule) == ("adamw", 0, "constant")
    assert not any((recipe.warmup_epochs, recipe.label_smoothing, recipe.refusal_weight, recipe.ema_decay))
    assert not any(recipe.augment.model_dump().values())
    assert recipe.patience


def test_another_network_may_take_an_experiment_s_recipe():
    config = load_config(["experiment=batchnorm", "model=seed_edge"])
    assert (config.model.name, config.model.batchnorm, config.train.batch_size) == ("seed_edge", True, 64)


def test_every_key_says_what_it_means():
    def check(section):
        for name, field in section.model_fields.items():
            if hasattr(field.annotation, "model_fields"):
                check(field.annotation)
            else:
                assert field.description, name

    check(Config)


def test_command_prints_the_values_and_refuses_without_a_traceback():
    def run(*overrides):
        return subprocess.run(
            [sys.executable, "-m", "pipeline.config", *overrides], cwd=ROOT, capture_output=True, text=True, check=False
        )

    printed = run("model=small", "train.epochs=3")
    assert yaml.safe_load(printed.stdout)["train"]["epochs"] == 3
    refused = run("train.epochs=0")
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: train.epochs")
    assert "Traceback" not in refused.stderr


def test_a_parameter_that_came_later_renames_nothing_while_it_is_null():
    without = yaml.safe_load(dump(load_config()))
    assert without["data"].pop("extra_strokes") is None
    del without["runtime"]["mode"]
    assert params_sha256(load_config()) == hashlib.sha256(yaml.safe_dump(without, sort_keys=False).encode()).hexdigest()
    assert params_sha256(load_config(["data.extra_strokes=more"])) != params_sha256(load_config())


def test_values_have_one_name_in_both_modes():
    assert params_sha256(load_config(["runtime.mode=fast"])) == params_sha256(load_config(["runtime.mode=portable"]))
