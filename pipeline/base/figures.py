"""Save figures as reproducible PNG files."""

from pathlib import Path

from matplotlib.figure import Figure

from pipeline.base.files import write_atomic


def save_figure(figure: Figure, path: Path) -> None:
    """Write a PNG without the metadata that names the version of matplotlib."""
    write_atomic(path, lambda temporary: figure.savefig(temporary, dpi=110, metadata={"Software": None}))
