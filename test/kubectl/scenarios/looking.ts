// Looking around: what is served, what is there, what it means.
import { dirname } from "node:path";
import type { Scenario } from "../scenario.ts";

const podYaml = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: c, image: x}]}\n";

export const looking: Readonly<Record<string, Scenario>> = {
  "sees what is served": async ({ prints }) => {
    await prints("version", /Server Version: .*v1\.36\./);
    await prints("cluster-info", /Kubernetes control plane.* is running at .*https:/);
    await prints("cluster-info dump", /"kind": "NodeList"[\s\S]*"kind": "EventList"/);
    await prints(
      "api-resources --api-group=apps --namespaced=true -o wide",
      /deployments +deploy .*create,delete.* +all/,
    );
    await prints("api-resources --sort-by=kind --verbs=list -o name", /^clusterroles\.rbac\.authorization\.k8s\.io$/m);
    await prints("api-versions", /^autoscaling\/v2$/m);
    await prints("get --raw /readyz", "ok");
  },
  "has everything explained": async ({ prints, fails }) => {
    await prints("explain pod --recursive", /containers\t<\[\]Container>.*-required-/);
    await prints(
      "explain hpa --api-version=autoscaling/v1",
      /GROUP: +autoscaling\nKIND: +HorizontalPodAutoscaler\nVERSION: +v1/,
    );
    await prints("explain crd.spec.versions.schema.openAPIV3Schema", /x-kubernetes-validations\t<\[\]ValidationRule>/);
    await prints(
      "explain deployment.spec --output=plaintext-openapiv2",
      /RESOURCE: spec <Object>[\s\S]*replicas\t<integer>/,
    );
    await fails("explain pod.spec.nothing", /field "nothing" does not exist/);
  },
  "lists and describes": async ({ prints, fails, namespace }) => {
    await prints("get ns", /NAME +STATUS +AGE\ndefault +Active/);
    await prints("get svc kubernetes -n default", /kubernetes +ClusterIP +10\.96\.0\.1 +<none> +443\/TCP/);
    await prints("create -f -", "pod/web created", podYaml);
    await prints("get pods,services", /^NAME[\s\S]*\npod\/web +0\/1 +Pending/);
    await prints("get pods -A --sort-by=.metadata.name", new RegExp(`NAMESPACE +NAME[^]*${namespace} +web`));
    await prints("get pod web -o yaml", /apiVersion: v1\nkind: Pod\n/);
    await prints("get pods -o go-template={{range.items}}{{.metadata.name}}{{end}}", "web");
    await prints("get pods --server-print=false", /NAME +AGE\nweb/);
    await prints("describe pod web", /Name: +web\n[\s\S]*Status: +Pending[\s\S]*Events:/);
    await prints("describe svc kubernetes -n default", /Type: +ClusterIP/);
    await fails("get pod nothing", /Error from server \(NotFound\): pods "nothing" not found/);
    await fails("get nothing", /the server doesn't have a resource type "nothing"/);
  },
  watches: async ({ prints, start }) => {
    await prints("run one --image=x", "pod/one created");
    const watching = start("get pods --watch");
    await watching.waitsFor(/^NAME .*\none +0\/1 +Pending/);
    await prints("label pod one a=b", "pod/one labeled");
    await watching.waitsFor(/^NAME .*\none .*\none +0\/1 +Pending/);
    await prints("delete pod one", /deleted/);
    await watching.waitsFor(/^NAME .*\none .*\none .*\none +0\/1 /);
    await watching.stop();
  },
  "hears of events": async ({ prints, start, namespace }) => {
    await prints("create -f -", "pod/web created", podYaml);
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
    await prints("create -f -", "event/web.1 created", JSON.stringify(event));
    await prints("events --for pod/web --types=Warning", /Tried/);
    const watching = start("events --watch");
    await watching.waitsFor(/LAST SEEN.*\n.*Warning +Tried/);
    const again = { ...event, metadata: { name: "web.2", namespace }, reason: "Again" };
    await prints("create -f -", "event/web.2 created", JSON.stringify(again));
    await watching.waitsFor(/Warning +Again +Pod\/web/);
    await watching.stop();
  },
  "helps itself": async ({ prints, file }) => {
    await prints("completion bash", /__start_kubectl/);
    await prints("__complete get pod", /pods\n/);
    file("kubectl-greet", "#!/bin/sh\necho hello from a plugin\n");
    await prints("plugin list", /kubectl-greet/);
    await prints("greet", "hello from a plugin");
    await prints("options", /The following options can be passed to any command/);
    file("one.yaml", podYaml);
    const kustomization = file("kustomization.yaml", "namePrefix: my-\nresources: [one.yaml]\n");
    await prints(["kustomize", dirname(kustomization)], /name: my-web/);
    await prints(["apply", "-k", dirname(kustomization)], "pod/my-web created");
  },
};
