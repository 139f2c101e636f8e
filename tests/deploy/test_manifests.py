import io
import re
import shlex

import httpx2
import pytest
import yaml
from PIL import Image

from serving.http.server import GRACE_S
from serving.settings import ENV_PREFIX, Settings
from serving.v2 import routes
from serving.version import inkling_version
from serving.workers import PATIENCE_S
from tests.deploy.image import instructions, words_of
from tests.project import ROOT
from tests.serving.under_load.process import running, watched

DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
ROUTES = {f"/v2{route.path}" for route in routes.routes}
MB = 2**20


def environ_of(text):
    return dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))


def settings_of(environ):
    """Return the settings from variables; fail if one is unknown."""
    known = {ENV_PREFIX + name.upper() for name in Settings.__dataclass_fields__}
    assert {name for name in environ if name.startswith(ENV_PREFIX)} <= known
    return Settings.load([], environ)


KINDS = {each["kind"]: each for each in (yaml.safe_load(path.read_text()) for path in KUBERNETES.glob("*.yaml"))}
POD = KINDS["Deployment"]["spec"]["template"]["spec"]
SERVICES = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
DOCKERFILE = instructions(DEPLOY / "Dockerfile")
SETTINGS = settings_of(environ_of((KUBERNETES / "settings.env").read_text()))


def bytes_of(text):
    """Return the bytes of a limit in MiB, as Kubernetes or compose writes it."""
    return int(re.fullmatch(r"(\d+)(Mi|m)", text)[1]) * MB


def test_the_image_is_started_as_the_service_expects():
    last = dict(DOCKERFILE)
    environ = dict(word.split("=", 1) for name, rest in DOCKERFILE if name == "ENV" for word in shlex.split(rest))
    settings = settings_of(environ)
    assert settings.host == "0.0.0.0"
    assert last["EXPOSE"] == str(settings.port)
    assert words_of(last["ENTRYPOINT"]) == ["python", "-m", "serving"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", last["USER"])
    (asked,) = re.findall(r"'(/v2/[^']+)'", last["HEALTHCHECK"])
    assert asked in ROUTES
    (install,) = (rest for name, rest in DOCKERFILE if name == "RUN" and " install " in rest)
    assert "--require-hashes -r requirements/serving.txt" in install


def test_the_copied_files_exist_and_are_not_ignored():
    ignore = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    allowed = {line[1:] for line in ignore if line.startswith("!")}
    copied = {
        source.rstrip("/")
        for name, rest in DOCKERFILE
        if name == "COPY" and not rest.startswith("--from")
        for source in rest.split()[:-1]
    }
    assert copied == allowed
    assert all((ROOT / source).exists() for source in copied)


def test_the_pods_run_as_the_image_s_user_and_write_only_to_tmp():
    (container,) = POD["containers"]
    user, group = dict(DOCKERFILE)["USER"].split(":")
    assert (POD["securityContext"]["runAsUser"], POD["securityContext"]["runAsGroup"]) == (int(user), int(group))
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/tmp"]
    # A Service by the name of inkling would set INKLING_PORT to an address.
    assert POD["enableServiceLinks"] is False


def test_probes_ports_and_time_to_end_are_the_service_s():
    (container,) = POD["containers"]
    (port,) = container["ports"]
    assert (SETTINGS.host, port["containerPort"]) == ("0.0.0.0", SETTINGS.port)
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        asked = container[probe]["httpGet"]
        assert asked["path"] in ROUTES
        assert asked["port"] == port["name"]
    assert KINDS["Service"]["spec"]["ports"][0]["targetPort"] == port["name"]
    assert KINDS["NetworkPolicy"]["spec"]["ingress"][0]["ports"] == [{"port": port["name"]}]
    assert KINDS["Service"]["metadata"]["name"] in SETTINGS.allowed_hosts
    assert POD["terminationGracePeriodSeconds"] >= SETTINGS.drain_s + GRACE_S + PATIENCE_S


def test_compose_fits_the_service():
    service = SERVICES["inkling"]
    settings_of(dict.fromkeys(service["environment"], ""))
    assert service["read_only"]
    assert service["tmpfs"] == ["/tmp"]
    assert int(service["stop_grace_period"].removesuffix("s")) >= Settings.drain_s + GRACE_S + PATIENCE_S
    assert service["ports"] == [f"127.0.0.1:8000:{Settings.port}"]


def test_compose_has_no_password_and_names_missing_ones():
    text = (DEPLOY / "compose.yaml").read_text()
    secrets = environ_of((DEPLOY / "env.example").read_text())
    assert set(re.findall(r"\$\{(\w+):\?[^}]+\}", text)) == set(secrets)
    assert set(secrets.values()) == {""}
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"KEY|PASSWORD", name):
                assert re.fullmatch(r"\$\{\w+:\?[^}]+\}", value)
    assert "/deploy/.env" in (ROOT / ".gitignore").read_text().splitlines()


def test_the_kustomization_has_every_file_and_the_version_of_the_code():
    others = {path.name for path in KUBERNETES.iterdir()} - {"kustomization.yaml", "settings.env"}
    assert set(KINDS["Kustomization"]["resources"]) == others
    assert [image["newTag"] for image in KINDS["Kustomization"]["images"]] == [inkling_version()]


def test_the_tracking_server_is_the_pipeline_s_mlflow():
    pinned = re.findall(r"([\w-]+)[^ =]*==([\w.]+)", dict(instructions(DEPLOY / "mlflow.Dockerfile"))["RUN"])
    locked = dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements" / "all.txt").read_text(), re.MULTILINE))
    assert [name for name, _ in pinned if name not in locked] == ["psycopg"]
    for name, version in pinned:
        assert locked.get(name, version) == version


@pytest.mark.slow
@pytest.mark.parametrize("where", ["kubernetes", "compose"])
def test_the_largest_picture_fits_into_the_memory(where, tmp_path):
    """`python -m pytest -m slow -s tests/deploy/test_manifests.py` prints how much it takes."""
    if where == "kubernetes":
        max_pixels, limit = SETTINGS.max_pixels, bytes_of(POD["containers"][0]["resources"]["limits"]["memory"])
    else:
        max_pixels, limit = Settings.max_pixels, bytes_of(SERVICES["inkling"]["mem_limit"])
    side = int(max_pixels**0.5)
    # A transparent WebP takes the most memory of all formats: four copies in its decoder.
    picture = io.BytesIO()
    Image.new("RGBA", (side, side), (0, 0, 0, 128)).save(picture, "WEBP", method=0)
    with running(tmp_path, "--max-pixels", str(max_pixels)) as service:
        idle = service.memory()
        with watched(service) as peak:
            url = "http://{}:{}/api/predict".format(*service.address)
            answer = httpx2.post(url, content=picture.getvalue(), headers={"content-type": "image/webp"}, timeout=60)
    took = f"{idle // MB} MiB idle, {peak.n_bytes // MB} MiB with {side} x {side} pixels"
    print(f"{where}: {took}, {limit // MB} MiB allowed")
    assert answer.status_code == 200
    # Other request bodies take up to 130 MiB, see tests/serving/under_load/test_attacks.py.
    assert peak.n_bytes + 130 * MB < limit
