"""What a user can mend: every error of this kind says what is wrong, the offending value, and what to do."""


class InklingError(Exception):
    """Base of the errors that are shown as one message, without a traceback."""


class ConfigError(InklingError):
    """A hyperparameter is unknown, of the wrong type, missing or out of its range."""


class DownloadError(InklingError):
    """No source had the data, or none had the right bytes."""


class DataError(InklingError):
    """A data file is missing, damaged, or was made from other parameters."""


class TrainingError(InklingError):
    """Training broke down: the loss is no longer a number."""


class ParityError(InklingError):
    """The exported file does not answer as the network that was evaluated."""


class RegistryError(InklingError):
    """MLflow does not answer, or does not have what is asked for."""


class PromotionError(InklingError):
    """A run or a model can't take the place of the present one."""


class Pruned(InklingError):  # noqa: N818 - no error, the end that a search chose
    """A search has stopped this trial, because others do better."""
