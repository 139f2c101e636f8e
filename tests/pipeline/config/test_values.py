import re
import runpy
import shutil
import sys

import pytest
import yaml
from dvc.utils.hydra import compose_and_dump

from pipeline.base.errors import ConfigError
from pipeline.base.paths import CONF, ROOT
from pipeline.config import values
from pipeline.config.schema import NETWORKS, describe
from pipeline.config.values import check_command_line, dump, load_config, params_sha256


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


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("+train.learning_rte=0.1", "there is no train.learning_rte; did you mean train.learning_rate?"),
        ("train.epohs=3", "there is no train.epohs; did you mean train.epochs?"),
        ("~train.epohs", "did you mean train.epochs?"),
        ("modle=small", "did you mean model?"),
        ("nonsense=3", "there is no nonsense; params.yaml lists the keys"),
        ("hydra.sweeper.trals=3", "`python -m pipeline.train --cfg hydra` lists the keys"),
        ("train.learning_rate=fast", "train.learning_rate: input should be a valid number, not 'fast'"),
        ("train.learning_rate=3", "train.learning_rate: input should be less than or equal to 1, not 3"),
        ("train.epochs=1.5", "train.epochs: input should be a valid integer, not 1.5"),
        ("train.epochs='3'", "train.epochs: input should be a valid integer, not '3'"),
        ("model.name=nonsense", "model.name: input should be 'inkling' or 'seed_vision', not 'nonsense'"),
        ("train.parts=[mnist,cifar]", "train.parts.1: input should be 'mnist', 'pendigits', 'skeletons' or"),
        ("~train.epochs", "train.epochs is missing"),
        ("model=huge", "there is no model=huge; choose from seed_vision, small"),
        ("train.epochs=[", "train.epochs"),
        ("model.width=0,5", "model.width=0,5 has several values; a decimal number has a point"),
        ("train.epochs", "train.epochs has no value; write train.epochs=VALUE"),
        ("experiment.name=a%b#c", "quote it twice: \"experiment.name='a%b#c'\""),
        ("train.epochs=${nope}", "nope"),
        ("runtime.precision=mixed_bfloat16", "runtime: mode=portable needs precision=float32 and deterministic=true"),
        ("runtime.deterministic=false", "mode=fast takes precision=float32 and deterministic=false"),
    ],
)
def test_an_invalid_override_is_rejected_and_its_key_named(override, message):
    with pytest.raises(ConfigError) as refusal:
        load_config([override])
    assert message in str(refusal.value)


@pytest.mark.parametrize("arguments", [["train.epohs=3"], ["-m", "train.seed=1,2", "train.epohs=3"]])
def test_a_misspelt_key_on_the_command_line_of_the_training_is_named(arguments):
    with pytest.raises(ConfigError, match=r"did you mean train\.epochs\?"):
        check_command_line(arguments)
    check_command_line(["-m", "train.seed=1,2", "hydra/sweeper=tpe", "hydra.sweeper.n_trials=3", "--cfg", "job"])


@pytest.mark.parametrize("arguments", [["train.epochs", "3"], ["-m", "train.epochs", "3"], ["--cfg", "job", "train"]])
def test_a_key_without_a_value_on_the_command_line_of_the_training_is_named(arguments):
    with pytest.raises(ConfigError, match=r"train(\.epochs)? has no value; write train"):
        check_command_line(arguments)


@pytest.mark.parametrize("preset", sorted(CONF.glob("*/*.yaml")), ids=lambda path: f"{path.parent.name}={path.stem}")
def test_dvc_and_hydra_compose_a_preset_alike(preset, tmp_path):
    override = f"{preset.parent.name}={preset.stem}"
    compose_and_dump(str(tmp_path / "params.yaml"), str(CONF), None, "config", str(ROOT), [override])
    composed = yaml.safe_load((tmp_path / "params.yaml").read_text())
    assert composed == yaml.safe_load(dump(load_config([override])))


@pytest.mark.parametrize(
    ("key", "allowed"),
    [
        ("model.name", ", ".join(NETWORKS)),
        ("train.learning_rate", "a number, above 0, at most 1"),
        ("train.patience", "a whole number, at least 1 or null"),
        ("model.batchnorm", "true or false"),
    ],
)
def test_a_description_ends_with_the_allowed_values(key, allowed):
    assert describe(key).endswith(f"[{allowed}]")


def test_the_command_prints_the_values_or_an_error(monkeypatch, capsys):
    def run(*overrides):
        monkeypatch.setattr(sys, "argv", ["pipeline.config", *overrides])
        runpy.run_module("pipeline.config", run_name="__main__")
        return yaml.safe_load(capsys.readouterr().out)

    assert run("model=small", "train.epochs=3")["train"]["epochs"] == 3
    with pytest.raises(SystemExit, match=r"error: train\.epochs"):
        run("train.epochs=0")


def test_the_hash_depends_on_every_value():
    assert params_sha256(load_config()) == params_sha256(load_config())
    assert params_sha256(load_config(["runtime.mode=fast"])) != params_sha256(load_config())
    assert params_sha256(load_config(["data.extra_strokes=more"])) != params_sha256(load_config())
