// Admission taints new nodes as not ready and copies topology labels of nodes to pods.
import { bootstrappedClient } from "./bootstrapped-client.ts";
import { expect, test } from "vitest";
import type { Node, Pod, Taint } from "../../../api/generated/types.ts";
import { nodes } from "../../../api/core/nodes.ts";
import { pods } from "../../../api/core/pods.ts";
import { key } from "../../../api/meta.ts";
import type { Client } from "../../../machinery/client.ts";
async function server(): Promise<Client> {
  const client = await bootstrappedClient();
  return client;
}
const node = (labels: object, spec: object = {}): Node =>
  ({ kind: "Node", metadata: { name: "n1", labels }, spec }) as unknown as Node;

const unproven: Taint = { key: "node.kubernetes.io/not-ready", effect: "NoSchedule" };
const own: Taint = { key: "gpu", value: "yes", effect: "NoSchedule" };
const evicting: Taint = { key: unproven.key, effect: "NoExecute" };
for (const [what, taints, expected] of [
  ["no taints", undefined, [unproven]],
  ["other taints", [own], [own, unproven]],
  ["the taint is already present", [unproven, own], [unproven, own]],
  ["the same key with another effect", [evicting], [evicting, unproven]],
] as const)
  test(`a new node has the not-ready taint: ${what}`, async () => {
    const client = await server();
    const made = await client.create(nodes, node({}, { taints }));
    expect(made.spec?.taints).toEqual(expected);
    const cleared = await client.update(nodes, { ...made, spec: { ...made.spec, taints: [] } });
    expect(cleared.spec?.taints ?? []).toEqual([]);
  });

const zone = "topology.kubernetes.io/zone";
const region = "topology.kubernetes.io/region";
const topologyRows: readonly (readonly [
  what: string,
  of: object,
  own: object | undefined,
  expected: object | undefined,
])[] = [
  [
    "zone and region",
    { [zone]: "a", [region]: "x", disk: "fast" },
    { app: "web" },
    { app: "web", [zone]: "a", [region]: "x" },
  ],
  ["zone only", { [zone]: "a" }, undefined, { [zone]: "a" }],
  ["the node's label overrides the pod's", { [zone]: "a" }, { [zone]: "b" }, { [zone]: "a" }],
  ["a node without topology labels", { disk: "fast" }, { app: "web" }, { app: "web" }],
];
for (const [what, of, labels, expected] of topologyRows)
  for (const way of ["bound", "on create"])
    test(`a pod gets the topology labels of its node: ${what}, ${way}`, async () => {
      const client = await server();
      await client.create(nodes, node(of));
      const spec = { containers: [{ name: "c", image: "i" }], ...(way === "on create" && { nodeName: "n1" }) };
      const metadata = { name: "p", namespace: "default", ...(labels && { labels }) };
      const made = await client.create(pods, { kind: "Pod", metadata, spec } as never);
      if (way === "bound")
        await client.update(pods, { ...made, spec: { ...made.spec, nodeName: "n1" } } as Pod, "binding");
      expect((await client.get(pods, key("default", "p"))).metadata.labels).toEqual(expected);
    });
