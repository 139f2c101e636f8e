"""Describe what a run depends on: code, packages, machine."""

import functools
import platform
from importlib.metadata import distributions

import psutil

from pipeline.base.files import file_sha256
from pipeline.base.paths import ROOT
from pipeline.tracking.git import GitError, git


def code_tags() -> dict[str, str]:
    """Return the commit that is checked out, marked if files differ from it, and the SHA-256 of dvc.lock."""
    try:
        commit = git(ROOT, "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty").decode().strip()
    except GitError:
        commit = "none"
    lock = ROOT / "dvc.lock"
    return {"git_commit": commit, "dvc_lock_sha256": file_sha256(lock) if lock.exists() else "none"}


def describe() -> str:
    """Return system, processors and packages, one per line; the packages as a pip requirements file lists them."""
    cores = f"{psutil.cpu_count(logical=False)} cores, {psutil.cpu_count()} threads"
    machine = f"# {cores}, {psutil.virtual_memory().total / 2**30:.1f} GiB"
    return "\n".join([f"# {platform.platform()}, Python {platform.python_version()}", machine, *_packages(), ""])


@functools.cache  # reading the metadata of some hundred packages takes a quarter of a second
def _packages() -> list[str]:
    return sorted({f"{one.name}=={one.version}" for one in distributions()}, key=str.lower)


def usage() -> dict[str, float]:
    """Return system metrics, by MLflow's names; a rate is an average since the previous call."""
    return {
        "system/cpu_utilization_percentage": psutil.cpu_percent(),
        "system/system_memory_usage_percentage": psutil.virtual_memory().percent,
        "system/process_memory_megabytes": psutil.Process().memory_info().rss / 1e6,
    }
