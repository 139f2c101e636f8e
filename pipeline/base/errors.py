"""Errors that a user can fix. Each message names the problem, the value and the remedy."""


class InklingError(Exception):
    """Base class. Commands print the message without a traceback."""


class ConfigError(InklingError):
    """A hyperparameter is unknown, missing, of the wrong type or out of range."""


class DownloadError(InklingError):
    """No source has the data with the right checksum."""


class DataError(InklingError):
    """A data file is missing, damaged, or was made with other parameters."""


class OutputError(InklingError):
    """A file can't be written."""


class TrainingError(InklingError):
    """The training loss is not finite."""


class ParityError(InklingError):
    """The exported file and the evaluated network give different answers."""


class RegistryError(InklingError):
    """MLflow does not respond, or does not have the requested item."""


class PromotionError(InklingError):
    """A run or a model cannot replace the current one."""


class Pruned(InklingError):  # noqa: N818 - not an error: the search ended the trial
    """A search stopped this trial because other trials do better."""
