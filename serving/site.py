"""Build a folder that any static host serves: the page reads in the browser, without the service.

`python -m serving.site FOLDER`. The folder has the page, the model, its card and the runtime, and needs no headers.
"""

import argparse
import shutil
import sys
from pathlib import Path

from serving.api.messages import ServiceFacts
from serving.api.predict import card_json, has_runtime
from serving.errors import StartError
from serving.http.middleware import CONTENT_SECURITY_POLICY
from serving.model.predictor import Predictor
from serving.settings import Settings

# Files for the API's page, for the type checker, and what page.css is built from.
LEFT_OUT = ("docs", "docs.html", "*.d.ts", "css")
STYLE = "css/page.css"

# Browsers ignore frame-ancestors in a page's own policy.
POLICY = CONTENT_SECURITY_POLICY.rpartition("; frame-ancestors")[0]

# What the page of a site has in other words: it has no service, and its policy stands in the file.
META = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
CHANGES = {
    '<html lang="en">': '<html lang="en" data-service="none">',
    '<meta charset="utf-8">': f'<meta charset="utf-8">\n  {META}',
}


def build(folder: Path, model: Path, web: Path) -> None:
    """Write the site into a folder that is new or empty.

    Raises:
        StartError: the folder has files, a file is missing, or the model cannot be used.
    """
    if folder.exists() and any(folder.iterdir()):
        raise StartError(f"The folder {folder} is not empty. Remove it, or name another.")
    if not has_runtime(web):
        raise StartError(f"{web} has no runtime for the model. `make runtime` in the repository installs it.")
    predictor = Predictor.load(model)
    shutil.copytree(web, folder, ignore=shutil.ignore_patterns(*LEFT_OUT), dirs_exist_ok=True)
    (folder / STYLE).parent.mkdir()
    shutil.copyfile(web / STYLE, folder / STYLE)
    (folder / "api").mkdir()
    (folder / "api/model").write_bytes(card_json(predictor.card, ServiceFacts(collects=False, runtime=True)))
    (folder / "api/model.onnx").write_bytes(predictor.content)
    page = folder / "index.html"
    text = page.read_text(encoding="utf-8")
    for old, new in CHANGES.items():
        text = text.replace(old, new)
    page.write_text(text, encoding="utf-8")


def main() -> int:
    """Build the site. Return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m serving.site", description="Builds the page for a static host.")
    parser.add_argument("folder", type=Path, help="folder to write, new or empty")
    parser.add_argument("--model", type=Path, default=Settings.model, help="model file (default %(default)s)")
    parser.add_argument("--web", type=Path, default=Settings.web, help="folder of the page (default %(default)s)")
    arguments = parser.parse_args()
    try:
        build(arguments.folder, arguments.model, arguments.web)
    except StartError as error:
        print(f"python -m serving.site: {error}", file=sys.stderr)
        return 1
    folder = arguments.folder
    print(f"Any static host can serve {folder}. To try it: python -m http.server -b 127.0.0.1 -d {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
