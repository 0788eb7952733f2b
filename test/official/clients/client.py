"""What a Python program does with a cluster: create, watch until ready, scale, patch, exec, read logs, delete."""

from kubernetes import client, config, watch
from kubernetes.stream import stream

config.load_kube_config()
core, apps = client.CoreV1Api(), client.AppsV1Api()
namespace = core.create_namespace({"metadata": {"generateName": "python-check-"}}).metadata.name
pod_spec = {
    "terminationGracePeriodSeconds": 1,
    "containers": [{"name": "c", "image": "orrery/busybox:1", "command": ["sh", "-c", "echo started; sleep 3600"]}],
}
deployment = {
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod_spec},
    },
}


def expect(what, wanted, got):
    if wanted != got:
        raise SystemExit(f"FAILED {what}: wanted {wanted!r}, got {got!r}")
    print(f"passed {what}")


def ready(replicas):
    """Watches the deployment until that many replicas are ready; gives up after a minute."""
    for event in watch.Watch().stream(apps.list_namespaced_deployment, namespace, timeout_seconds=60):
        if event["object"].status.ready_replicas == replicas:
            return replicas
    return None


try:
    apps.create_namespaced_deployment(namespace, deployment)
    expect("create and watch", 1, ready(1))
    apps.patch_namespaced_deployment_scale("web", namespace, {"spec": {"replicas": 2}})
    expect("scale", 2, ready(2))
    apps.patch_namespaced_deployment("web", namespace, {"metadata": {"labels": {"tier": "front"}}})
    labels = apps.read_namespaced_deployment("web", namespace).metadata.labels
    expect("patch", {"tier": "front"}, labels)
    pod = core.list_namespaced_pod(namespace, label_selector="app=web").items[0].metadata.name
    command = ["sh", "-c", "echo inside"]
    output = stream(core.connect_get_namespaced_pod_exec, pod, namespace, command=command, stdout=True, stderr=True)
    expect("exec", "inside\n", output)
    expect("logs", "started\n", core.read_namespaced_pod_log(pod, namespace))
    try:
        core.read_namespaced_pod("nobody", namespace)
    except client.ApiException as error:
        expect("an error with its reason", (404, "Not Found"), (error.status, error.reason))
finally:
    core.delete_namespace(namespace)
