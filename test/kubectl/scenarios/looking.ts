// Looking around: what is served, what is there, what it means.
import { dirname } from "node:path";
import type { Scenario } from "../stage.ts";

const podYaml = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: c, image: x}]}\n";

export const looking: Readonly<Record<string, Scenario>> = {
  "sees what is served": async ({ says }) => {
    await says("version", /Server Version: .*v1\.36\./);
    await says("cluster-info", /Kubernetes control plane.* is running at .*https:/);
    await says("cluster-info dump", /"kind": "NodeList"[\s\S]*"kind": "EventList"/);
    await says(
      "api-resources --api-group=apps --namespaced=true -o wide",
      /deployments +deploy .*create,delete.* +all/,
    );
    await says("api-resources --sort-by=kind --verbs=list -o name", /^clusterroles\.rbac\.authorization\.k8s\.io$/m);
    await says("api-versions", /^autoscaling\/v2$/m);
    await says("get --raw /readyz", "ok");
  },
  "has everything explained": async ({ says, fails }) => {
    await says("explain pod --recursive", /containers\t<\[\]Container>.*-required-/);
    await says(
      "explain hpa --api-version=autoscaling/v1",
      /GROUP: +autoscaling\nKIND: +HorizontalPodAutoscaler\nVERSION: +v1/,
    );
    await says("explain crd.spec.versions.schema.openAPIV3Schema", /x-kubernetes-validations\t<\[\]ValidationRule>/);
    await says(
      "explain deployment.spec --output=plaintext-openapiv2",
      /RESOURCE: spec <Object>[\s\S]*replicas\t<integer>/,
    );
    await fails("explain pod.spec.nothing", /field "nothing" does not exist/);
  },
  "lists and describes": async ({ says, fails, namespace }) => {
    await says("get ns", /NAME +STATUS +AGE\ndefault +Active/);
    await says("get svc kubernetes -n default", /kubernetes +ClusterIP +10\.96\.0\.1 +<none> +443\/TCP/);
    await says("create -f -", "pod/web created", podYaml);
    await says("get pods,services", /^NAME[\s\S]*\npod\/web +0\/1 +Pending/);
    await says("get pods -A --sort-by=.metadata.name", new RegExp(`NAMESPACE +NAME[^]*${namespace} +web`));
    await says("get pod web -o yaml", /apiVersion: v1\nkind: Pod\n/);
    await says("get pods -o go-template={{range.items}}{{.metadata.name}}{{end}}", "web");
    await says("get pods --server-print=false", /NAME +AGE\nweb/);
    await says("describe pod web", /Name: +web\n[\s\S]*Status: +Pending[\s\S]*Events:/);
    await says("describe svc kubernetes -n default", /Type: +ClusterIP/);
    await fails("get pod nothing", /Error from server \(NotFound\): pods "nothing" not found/);
    await fails("get nothing", /the server doesn't have a resource type "nothing"/);
  },
  watches: async ({ says, start }) => {
    await says("run one --image=x", "pod/one created");
    const watching = start("get pods --watch");
    await watching.hears(/^NAME .*\none +0\/1 +Pending/);
    await says("label pod one a=b", "pod/one labeled");
    await watching.hears(/^NAME .*\none .*\none +0\/1 +Pending/);
    await says("delete pod one", /deleted/);
    await watching.hears(/^NAME .*\none .*\none .*\none +0\/1 /);
    await watching.stop();
  },
  "hears of events": async ({ says, start, namespace }) => {
    await says("create -f -", "pod/web created", podYaml);
    const event = {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: "web.1", namespace },
      involvedObject: { apiVersion: "v1", kind: "Pod", name: "web", namespace },
      reason: "Tried",
      message: "somebody tried",
      type: "Warning",
      firstTimestamp: "2026-01-01T00:00:00Z",
      lastTimestamp: "2026-01-01T00:00:00Z",
      count: 1,
    };
    await says("create -f -", "event/web.1 created", JSON.stringify(event));
    await says("events --for pod/web --types=Warning", /Tried/);
    const watching = start("events --watch");
    await watching.hears(/LAST SEEN.*\n.*Warning +Tried/);
    const again = { ...event, metadata: { name: "web.2", namespace }, reason: "Again" };
    await says("create -f -", "event/web.2 created", JSON.stringify(again));
    await watching.hears(/Warning +Again +Pod\/web/);
    await watching.stop();
  },
  "helps itself": async ({ says, file }) => {
    await says("completion bash", /__start_kubectl/);
    await says("__complete get pod", /pods\n/);
    file("kubectl-greet", "#!/bin/sh\necho hello from a plugin\n");
    await says("plugin list", /kubectl-greet/);
    await says("greet", "hello from a plugin");
    await says("options", /The following options can be passed to any command/);
    file("one.yaml", podYaml);
    const kustomization = file("kustomization.yaml", "namePrefix: my-\nresources: [one.yaml]\n");
    await says(["kustomize", dirname(kustomization)], /name: my-web/);
    await says(["apply", "-k", dirname(kustomization)], "pod/my-web created");
  },
};
