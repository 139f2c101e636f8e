"""What a run stands on: the code, the packages, the machine."""

import platform
import subprocess
from importlib.metadata import distributions

import psutil

from pipeline.base.files import file_sha256
from pipeline.base.paths import ROOT


def code_tags() -> dict[str, str]:
    """The commit that is checked out, and the digest of what the pipeline had last made.

    Returns:
        `git_commit`, marked if files differ from it; `dvc_lock_sha256`. "none" where there is none.
    """
    command = ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty"]
    try:
        commit = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:  # no git
        commit = ""
    lock = ROOT / "dvc.lock"
    return {"git_commit": commit or "none", "dvc_lock_sha256": file_sha256(lock) if lock.exists() else "none"}


def describe() -> str:
    """System, processors and packages, one a line; the packages as pip takes them."""
    machine = f"{platform.platform()}, Python {platform.python_version()}"
    cores = f"{psutil.cpu_count(logical=False)} cores, {psutil.cpu_count()} threads"
    memory = f"{psutil.virtual_memory().total / 2**30:.1f} GiB"
    packages = sorted({f"{one.name}=={one.version}" for one in distributions()}, key=str.lower)
    return "\n".join([f"# {machine}", f"# {cores}, {memory}", *packages]) + "\n"


def usage() -> dict[str, float]:
    """What this process and the machine use, since the call before where it is a rate.

    Returns:
        Figures by the names under which MLflow shows them as the system's.
    """
    memory = psutil.virtual_memory()
    return {
        "system/cpu_utilization_percentage": psutil.cpu_percent(),
        "system/system_memory_usage_percentage": memory.percent,
        "system/system_memory_usage_megabytes": memory.used / 1e6,
        "system/process_memory_megabytes": psutil.Process().memory_info().rss / 1e6,
    }
