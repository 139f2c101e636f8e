import sys

import pytest

from bench import install
from pipeline.base.errors import InklingError


def test_size_without_links(tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "file").write_bytes(bytes(1000))
    (tmp_path / "link").symlink_to(tmp_path / "inner" / "file")
    (tmp_path / "python").symlink_to(sys.executable)
    assert install.size(tmp_path) == 1000


def test_a_service_that_exits_is_an_error(tmp_path):
    command = tmp_path / "inkling-serve"
    command.write_text("#!/bin/sh\nexit 1\n")
    command.chmod(0o755)
    with pytest.raises(InklingError, match="it ended with 1"):
        install.start_service(tmp_path / "python")
