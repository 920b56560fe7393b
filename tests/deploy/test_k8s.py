"""deploy/k8s renders, and what it says fits the code: commands, ports, probes, settings, logins, labels.

There is no cluster on the machines that run these tests, so nothing is applied; `make manifests` validates against
Kubernetes' own schemas. Rendering needs kubectl.
"""

import base64
import importlib.util
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.local.containers import prepare
from deploy.local.topology import WORKER_OFFSET
from libs.common.settings import PORTS, Role, ServiceSettings

ROOT = Path(__file__).resolve().parents[2]
K8S = ROOT / "deploy" / "k8s"
LOGINS: dict[str, Role] = {"api": "api", "worker": "worker", "migrate": "owner"}
SERVICES = sorted(PORTS.keys() - {"sandbox"})
Manifest = dict[str, Any]

needs_kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="rendering needs kubectl")


def rendered(folder: Path) -> list[Manifest]:
    done = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=True)
    return list(yaml.safe_load_all(done.stdout))


@pytest.fixture(scope="module")
def production() -> list[Manifest]:
    return rendered(K8S / "overlays" / "production")


def of_kind(manifests: list[Manifest], *kinds: str) -> dict[str, Manifest]:
    return {m["metadata"]["name"]: m for m in manifests if m["kind"] in kinds}


def pods(manifests: list[Manifest]) -> dict[str, Manifest]:
    """The pod template of each Deployment and Job."""
    return {name: m["spec"]["template"] for name, m in of_kind(manifests, "Deployment", "Job").items()}


def container(pod: Manifest) -> Manifest:
    (only,) = pod["spec"]["containers"]
    assert isinstance(only, dict)
    return only


def test_every_file_is_yaml_and_named_by_a_kustomization() -> None:
    for file in K8S.rglob("*.yaml"):
        assert list(yaml.safe_load_all(file.read_text())), file
        if file.name != "kustomization.yaml":
            named = yaml.safe_load((file.parent / "kustomization.yaml").read_text())["resources"]
            assert file.name in named, file
    for file in K8S.rglob("kustomization.yaml"):
        for resource in yaml.safe_load(file.read_text())["resources"]:
            assert (file.parent / resource).exists(), f"{file}: {resource}"


def test_no_secret_and_no_registry_is_written_down() -> None:
    for file in K8S.rglob("*.yaml"):
        assert "kind: Secret\n" not in file.read_text(), file
        for image in re.findall(r"image: (\S+)", file.read_text()):
            assert "/" not in image.removeprefix("apache/"), f"{file}: {image}"


@needs_kubectl
def test_every_service_has_its_api_its_worker_and_its_migration(production: list[Manifest]) -> None:
    found = pods(production)
    wanted = {f"{service}-{what}" for service in SERVICES for what in ("api", "worker", "migrate")}
    assert found.keys() == wanted | {"topics"}
    for name in wanted:
        service, what = name.split("-")
        pod = container(found[name])
        assert pod["args"] == [f"services.{service}", what]
        assert importlib.util.find_spec(pod["args"][0]) is not None
        assert [s["secretRef"]["name"] for s in pod["envFrom"] if "secretRef" in s] == [name]
        if what != "migrate":
            assert pod["ports"][0]["containerPort"] == PORTS[service] + (WORKER_OFFSET if what == "worker" else 0)
            assert pod["livenessProbe"]["httpGet"] == {"path": "/livez", "port": "http"}
            assert pod["readinessProbe"]["httpGet"] == pod["startupProbe"]["httpGet"]
            assert pod["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}


@needs_kubectl
def test_no_pod_may_do_more_than_it_needs(production: list[Manifest]) -> None:
    for name, pod in pods(production).items():
        assert pod["spec"]["securityContext"]["runAsNonRoot"], name
        assert not pod["spec"]["automountServiceAccountToken"], name
        said = container(pod)
        assert said["securityContext"]["readOnlyRootFilesystem"], name
        assert said["securityContext"]["capabilities"] == {"drop": ["ALL"]}, name
        assert not said["securityContext"]["allowPrivilegeEscalation"], name
        assert {"cpu", "memory"} <= said["resources"]["requests"].keys(), name
        accounts = of_kind(production, "ServiceAccount")
        assert pod["spec"]["serviceAccountName"] in accounts, name


@needs_kubectl
def test_every_setting_is_one_that_the_code_reads(production: list[Manifest]) -> None:
    code = "".join(path.read_text() for path in (ROOT / "libs" / "common").glob("*.py"))
    for config in of_kind(production, "ConfigMap").values():
        for name in config["data"]:
            assert name in code or f'need("{name.removeprefix("PARITY_")}")' in code, name
        for place in (config["data"]["PARITY_KEYRING"], config["data"]["PARITY_CURSOR_KEY"]):
            mounts = [m["mountPath"] for m in container(pods(production)["claims-api"])["volumeMounts"]]
            assert str(Path(place).parent) in mounts


@needs_kubectl
def test_whatever_selects_pods_selects_those_of_one_deployment(production: list[Manifest]) -> None:
    labels = {name: pod["metadata"]["labels"] for name, pod in pods(production).items()}

    def selected(selector: dict[str, str]) -> list[str]:
        return [name for name, found in labels.items() if selector.items() <= found.items()]

    for name, deployment in of_kind(production, "Deployment").items():
        assert selected(deployment["spec"]["selector"]["matchLabels"]) == [name]
    for name, service in of_kind(production, "Service").items():
        assert selected(service["spec"]["selector"]) == [name]
    for name, budget in of_kind(production, "PodDisruptionBudget").items():
        assert selected(budget["spec"]["selector"]["matchLabels"]) == [name]
    for name, policy in of_kind(production, "NetworkPolicy").items():
        assert selected(policy["spec"]["podSelector"]["matchLabels"]), name


@needs_kubectl
def test_workers_scale_on_their_own_lag_up_to_their_partitions(production: list[Manifest]) -> None:
    deployments = of_kind(production, "Deployment")
    config = next(iter(of_kind(production, "ConfigMap").values()))["data"]
    scaled = of_kind(production, "ScaledObject")
    assert scaled.keys() == {f"{service}-worker" for service in SERVICES}
    for name, one in scaled.items():
        service = name.removesuffix("-worker")
        kafka, due = one["spec"]["triggers"]
        assert one["spec"]["scaleTargetRef"]["name"] in deployments
        assert one["spec"]["maxReplicaCount"] == 12
        assert (kafka["metadata"]["consumerGroup"], kafka["metadata"]["bootstrapServers"]) == (
            service,
            config["PARITY_KAFKA"],
        )
        assert f"{service}.timers_due_count" in due["metadata"]["query"]
        (login,) = of_kind(production, "TriggerAuthentication")[due["authenticationRef"]["name"]]["spec"][
            "secretTargetRef"
        ]
        assert (login["name"], login["key"]) == (name, f"{service.upper()}_DATABASE_WORKER")
    for name, one in of_kind(production, "HorizontalPodAutoscaler").items():
        assert one["spec"]["scaleTargetRef"]["name"] == name
        assert name in deployments


@needs_kubectl
def test_what_comes_before_a_release_needs_nothing_that_comes_with_it(production: list[Manifest]) -> None:
    first = [m for m in production if m["metadata"].get("labels", {}).get("parity/step") == "prepare"]
    assert of_kind(first, "Job").keys() == {"topics", *(f"{service}-migrate" for service in SERVICES)}
    assert not of_kind(first, "Deployment")
    config = of_kind(first, "ConfigMap").keys()
    for name, job in of_kind(first, "Job").items():
        pod = job["spec"]["template"]
        assert pod["spec"]["serviceAccountName"] in of_kind(first, "ServiceAccount"), name
        assert {s["configMapRef"]["name"] for s in container(pod)["envFrom"] if "configMapRef" in s} == config, name


@needs_kubectl
def test_the_local_overlay_reads_what_make_containers_writes(tmp_path: Path) -> None:
    copy = tmp_path / "deploy" / "k8s"
    shutil.copytree(K8S, copy)
    prepare(tmp_path / ".parity" / "containers")
    done = subprocess.run(
        ["kubectl", "kustomize", "--load-restrictor", "LoadRestrictionsNone", str(copy / "overlays" / "local")],
        capture_output=True,
        text=True,
        check=True,
    )
    manifests = list(yaml.safe_load_all(done.stdout))
    assert not of_kind(manifests, "ScaledObject", "HorizontalPodAutoscaler", "PodDisruptionBudget")
    secrets = of_kind(manifests, "Secret")
    for name, pod in pods(manifests).items():
        named = {s["secretRef"]["name"] for s in container(pod).get("envFrom", []) if "secretRef" in s}
        named |= {v["secret"]["secretName"] for v in pod["spec"].get("volumes", []) if "secret" in v}
        assert named <= secrets.keys(), name
    for name, role in ((f"{service}-{what}", role) for service in SERVICES for what, role in LOGINS.items()):
        (config,) = of_kind(manifests, "ConfigMap").values()
        env = config["data"] | {key: base64.b64decode(value).decode() for key, value in secrets[name]["data"].items()}
        settings = ServiceSettings.from_environment(name.partition("-")[0], env)
        assert settings.databases.keys() == {role}, name
        assert {settings.keyring.name, settings.cursor_key.name} <= secrets["parity"]["data"].keys()
    reached = {(name, port["port"]) for name, s in of_kind(manifests, "Service").items() for port in s["spec"]["ports"]}
    assert {("postgres", 5432), ("kafka", 9092), ("sandbox-api", PORTS["sandbox"])} <= reached
