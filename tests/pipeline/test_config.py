import subprocess
import sys

import pytest
import yaml

from pipeline.config import Config, ConfigError, dump, flatten, load_config
from pipeline.paths import CONF, ROOT


def test_params_yaml_is_what_the_schema_dumps():
    # DVC rewrites the file in this form; any other would show as a change that nobody made.
    assert (ROOT / "params.yaml").read_text() == dump(load_config())


def test_override_changes_its_value_alone():
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
        ("~train.epochs", "train.epochs is missing"),
        ("model=huge", "huge"),
        ("train.epochs=[", "train.epochs"),
        ("train.epochs=${nope}", "nope"),
    ],
)
def test_bad_override_is_refused_and_its_key_named(override, message):
    with pytest.raises(ConfigError) as refusal:
        load_config([override])
    assert message in str(refusal.value)


@pytest.mark.parametrize("preset", sorted(CONF.glob("*/*.yaml")), ids=lambda path: f"{path.parent.name}={path.stem}")
def test_preset_composes_and_is_headed_by_its_command(preset):
    load_config([f"{preset.parent.name}={preset.stem}"])
    comments = [line for line in preset.read_text().splitlines() if line.startswith("#")]
    assert any(line.startswith("#   ") for line in comments)


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
