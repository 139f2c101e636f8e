"""Save figures as PNG files whose bytes do not depend on the version of matplotlib."""

from pathlib import Path

from matplotlib.figure import Figure

from pipeline.base.files import write_atomic


def save_figure(figure: Figure, path: Path) -> None:
    """Write a PNG, without the metadata that would change its bytes from one version of the library to the next."""
    write_atomic(path, lambda temporary: figure.savefig(temporary, dpi=110, metadata={"Software": None}))
