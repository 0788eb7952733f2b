// Updates of pods on nodes that need a feature of the kubelet.
import { expect, test } from "vitest";
import { nodes } from "../../../api/core/nodes.ts";
import { pods } from "../../../api/core/pods.ts";
import type { Node, Pod } from "../../../api/generated/types.ts";
import { key } from "../../../api/meta.ts";
import { bootstrappedClient } from "./bootstrapped-client.ts";

const cpu = (amount: string) => ({ requests: { cpu: amount } });
const init = (amount: string, restartPolicy?: string) => ({
  ...{ name: "i", image: "a:1", resources: cpu(amount) },
  ...(restartPolicy && { restartPolicy }),
});
const specOf = (amount: string, init_: object, ofPod?: string) => ({
  containers: [{ name: "c", image: "a:1", resources: cpu(amount) }],
  initContainers: [init_],
  ...(ofPod !== undefined && { resources: cpu(ofPod) }),
});
const [podLevel, ofInit] = ["InPlacePodLevelResourcesVerticalScaling", "InPlacePodVerticalScalingInitContainers"];

type Row = readonly [
  what: string,
  before: object,
  after: object,
  declared: readonly string[],
  refused: readonly string[] | undefined,
];
const rows: readonly Row[] = [
  ["of a container", specOf("1", init("1")), specOf("2", init("1")), [], undefined],
  ["of a sidecar", specOf("1", init("1", "Always")), specOf("1", init("2", "Always")), [], undefined],
  ["of an init container", specOf("1", init("1")), specOf("1", init("2")), [podLevel], [ofInit]],
  ["of an init container, declared", specOf("1", init("1")), specOf("1", init("2")), [ofInit], undefined],
  ["of the pod", specOf("1", init("1"), "2"), specOf("1", init("1"), "3"), [ofInit], [podLevel]],
  ["of both", specOf("1", init("1"), "2"), specOf("1", init("2"), "3"), [], [podLevel, ofInit]],
];
test.each(rows)("a resize %s", async (_, before, after, declaredFeatures, refused) => {
  const client = await bootstrappedClient();
  const node = { kind: "Node", metadata: { name: "n1" }, spec: {}, status: { declaredFeatures } };
  await client.create(nodes, node as unknown as Node);
  const metadata = { name: "p", namespace: "default" };
  const made = await client.create(pods, { kind: "Pod", metadata, spec: { ...before, nodeName: "n1" } } as never);
  const resized = client.update(pods, { ...made, spec: { ...made.spec, ...after } } as Pod, "resize");
  if (!refused) return expect((await resized).spec.containers).toHaveLength(1);
  await expect(resized).rejects.toThrow(
    `pods "p" is forbidden: pod update requires features ${refused.join(", ")} which are not available on node "n1"`,
  );
  await client.delete(nodes, key(undefined, "n1"));
  await expect(client.update(pods, { ...made, spec: { ...made.spec, ...after } } as Pod, "resize")).rejects.toThrow(
    'pods "p" is forbidden: node "n1" not found',
  );
});

test("a pod without a node is not concerned", async () => {
  const client = await bootstrappedClient();
  const metadata = { name: "p", namespace: "default" };
  const made = await client.create(pods, { kind: "Pod", metadata, spec: specOf("1", init("1")) } as never);
  const next = { ...made, spec: { ...made.spec, ...specOf("1", init("2")) } } as Pod;
  expect((await client.update(pods, next, "resize")).spec.initContainers?.[0]?.resources?.requests?.["cpu"]).toBe("2");
});
