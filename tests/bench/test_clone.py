from bench.clone import differing, hashes

LOCK = """
stages:
  download:
    cmd: python -m pipeline.download
  prepare:
    outs:
    - path: data/prepared
      md5: aa.dir
    - path: plots/a.png
      md5: bb
"""


def test_differing_and_missing_outputs():
    assert hashes(LOCK) == {"data/prepared": "aa.dir", "plots/a.png": "bb"}
    assert differing(LOCK, LOCK) == []
    assert differing(LOCK, LOCK.replace("bb", "cc")) == ["plots/a.png"]
    assert differing(LOCK, LOCK.replace("plots/a.png", "plots/b.png")) == ["plots/a.png", "plots/b.png"]
