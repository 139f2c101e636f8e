import sys

from bench import install


def test_size_without_links(tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "file").write_bytes(bytes(1000))
    (tmp_path / "link").symlink_to(tmp_path / "inner" / "file")
    (tmp_path / "python").symlink_to(sys.executable)
    assert install.size(tmp_path) == 1000
