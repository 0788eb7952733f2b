// What commands choose: pods, containers, addresses, conditions, suggestions, warnings.
import { expect, test } from "vitest";
import type { Node, Pod, Service } from "../../../../api/generated/types.ts";
import { chosenContainer } from "../../../../cli/client/chosen-container.ts";
import { mostUsefulFirst } from "../../../../cli/client/pods-of.ts";
import { unsupported } from "../../../../cli/client/unsupported.ts";
import { urlsOf } from "../../../../cli/commands/url.ts";
import { parseCondition } from "../../../../cli/commands/wait-conditions.ts";
import { similar } from "../../../../cli/program/suggestions.ts";

const pod = (name: string, more: object = {}): Pod =>
  ({
    kind: "Pod",
    apiVersion: "v1",
    metadata: { name, creationTimestamp: "2026-01-01T00:00:00Z" },
    spec: { containers: [] },
    ...more,
  }) as unknown as Pod;
const ready = (since: string) => ({
  phase: "Running",
  conditions: [{ type: "Ready", status: "True", lastTransitionTime: since }],
});

test("the most useful pod is first", () => {
  const assigned = { spec: { nodeName: "n", containers: [] } };
  const pods = [
    pod("unassigned"),
    pod("pending", { ...assigned, status: { phase: "Pending" } }),
    pod("young", { ...assigned, status: ready("2026-01-02T00:00:00Z") }),
    pod("old", { ...assigned, status: ready("2026-01-01T00:00:00Z") }),
    pod("unready", { ...assigned, status: { phase: "Running" } }),
  ];
  const names = mostUsefulFirst(pods, true).map(({ metadata }) => metadata.name);
  expect(names).toEqual(["old", "young", "unready", "pending", "unassigned"]);
});

const two = { spec: { containers: [{ name: "a" }, { name: "b" }], initContainers: [{ name: "i" }] } };
const annotated = (name: string) => ({
  metadata: { name: "p", annotations: { "kubectl.kubernetes.io/default-container": name } },
});
test.each<[what: string, pod: Pod, container: string | undefined, expected: object]>([
  ["the only one", pod("p", { spec: { containers: [{ name: "a" }] } }), undefined, { name: "a" }],
  [
    "the first of several",
    pod("p", two),
    undefined,
    { name: "a", notice: 'Defaulted container "a" out of: a, b, i (init)' },
  ],
  ["that of the annotation", pod("p", { ...two, ...annotated("b") }), undefined, { name: "b" }],
  ["a wrong annotation", pod("p", { ...two, ...annotated("x") }), undefined, { name: "a" }],
  ["the named one", pod("p", two), "i", { name: "i" }],
])("container: %s", (_, pod, container, expected) => expect(chosenContainer(pod, container)).toMatchObject(expected));
test("container: a name it does not have", () =>
  expect(() => chosenContainer(pod("p", two), "x")).toThrow(
    "container x is not valid for pod p out of: a, b, i (init)",
  ));

const node = (name: string, address: string, isReady: boolean): Node =>
  ({
    metadata: { name },
    status: {
      addresses: [{ type: "InternalIP", address }],
      conditions: [{ type: "Ready", status: isReady ? "True" : "False" }],
    },
  }) as unknown as Node;
const nodes = [node("n1", "10.0.0.1", false), node("n2", "10.0.0.2", true)];
const service = (spec: object, status: object = {}): Service =>
  ({ metadata: { name: "s" }, spec, status }) as unknown as Service;
test.each<[what: string, service: Service, expected: readonly string[]]>([
  [
    "node ports of a ready node",
    service({ type: "NodePort", ports: [{ port: 80, nodePort: 30080 }] }),
    ["http://10.0.0.2:30080"],
  ],
  [
    "https by its port",
    service({ type: "NodePort", ports: [{ port: 443, nodePort: 30443 }] }),
    ["https://10.0.0.2:30443"],
  ],
  [
    "a load balancer",
    service({ type: "LoadBalancer", ports: [{ port: 80 }] }, { loadBalancer: { ingress: [{ ip: "1.2.3.4" }] } }),
    ["http://1.2.3.4"],
  ],
  ["a name outside", service({ type: "ExternalName", externalName: "example.org" }), ["http://example.org"]],
  [
    "no UDP",
    service({
      type: "NodePort",
      ports: [
        { port: 53, protocol: "UDP", nodePort: 30053 },
        { port: 8080, nodePort: 30081 },
      ],
    }),
    ["http://10.0.0.2:30081"],
  ],
])("url: %s", (_, service, expected) => expect(urlsOf(service, nodes)).toEqual(expected));
test("url: inside the cluster only", () =>
  expect(() => urlsOf(service({ type: "ClusterIP", ports: [{ port: 80 }] }), nodes)).toThrow(
    "answers inside the cluster only",
  ));

const waited = pod("p", {
  status: {
    phase: "Running",
    ready: 3,
    conditions: [
      { type: "Ready", status: "True" },
      { type: "Gone", status: "False" },
    ],
  },
});
test.each([
  ["condition=Ready", true],
  ["condition=ready", true],
  ["condition=Ready=False", false],
  ["condition=Gone=False", true],
  ["condition=Other", false],
  ["jsonpath={.status.phase}=Running", true],
  ["jsonpath='{.status.phase}'=Running", true],
  ["jsonpath=.status.phase=Running", true],
  ["jsonpath={.status.ready}=3", true],
  ["jsonpath={.status.phase}=Pending", false],
  ["jsonpath={.status.phase}", true],
  ["jsonpath={.status.nope}", false],
])("wait: %s", (text, isMet) => {
  const condition = parseCondition(text);
  expect(condition.kind === "met" && condition.isMet(waited)).toBe(isMet);
});
test("wait: an observed generation that is behind does not count", () => {
  const behind = pod("p", {
    metadata: { name: "p", generation: 2 },
    status: { observedGeneration: 1, conditions: [{ type: "Ready", status: "True" }] },
  });
  const condition = parseCondition("condition=Ready");
  expect(condition.kind === "met" && condition.isMet(behind)).toBe(false);
});

test.each([
  ["gett", ["get"]],
  ["gte", ["get"]],
  ["desc", ["describe"]],
  ["zzz", []],
])("similar to %s", (word, expected) => expect(similar(word, ["get", "set", "describe", "delete"])).toEqual(expected));

test.each<
  [what: string, objects: readonly { readonly kind: string; readonly spec?: unknown }[], expected: readonly string[]]
>([
  ["what runs", [{ kind: "Deployment", spec: { template: { spec: { containers: [] } } } }], []],
  ["a kind, once", [{ kind: "Ingress" }, { kind: "Ingress" }], ["nothing here serves Ingresses yet"]],
])("warnings: %s", (_, objects, expected) => expect(unsupported(objects)).toEqual(expected));
