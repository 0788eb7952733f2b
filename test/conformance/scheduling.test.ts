// Where pods go and why not elsewhere, with scheduler and controllers beside the server. The nodes are there as far as
// anybody is told.
import { CoreV1Api } from "@kubernetes/client-node";
import { expect, vi } from "vitest";
import { behaviour, type Stage } from "./behaviour.ts";
import { patience, whileScheduled } from "./controlled.ts";
import { patched } from "./requests.ts";

/** Nodes that take the pods of this namespace, for as long as it takes; they say that they are ready. */
async function withNodes(
  stage: Stage,
  count: number,
  body: (names: readonly string[]) => Promise<void>,
): Promise<void> {
  const core = stage.client(CoreV1Api);
  const names = Array.from({ length: count }, (_, i) => `${stage.namespace}-${i}`);
  const amounts = { cpu: "2", memory: "1Gi", pods: "10" };
  const conditions = [{ type: "Ready", status: "True", reason: "KubeletReady", message: "ready" }];
  const status = { allocatable: amounts, capacity: amounts, conditions };
  const labels = (name: string) => ({ for: stage.namespace, "kubernetes.io/hostname": name });
  await whileScheduled(stage, async () => {
    for (const name of names)
      await core.createNode({ body: { metadata: { name, labels: labels(name) }, status } as any });
    await body(names);
    for (const name of names) await core.deleteNode({ name });
  });
}

const make = ({ client, namespace }: Stage, name: string, container: object, selector: object = {}) => {
  const spec = {
    nodeSelector: { for: namespace, ...selector },
    containers: [{ name: "c", image: "registry.example.com/web:1", ...container }],
  };
  return client(CoreV1Api).createNamespacedPod({ namespace, body: { metadata: { name }, spec } as any });
};
const asking = (cpu: string): object => ({ resources: { requests: { cpu }, limits: { cpu } } });
const placed = ({ client, namespace }: Stage, name: string, on: readonly string[]): Promise<void> =>
  vi.waitFor(async () => {
    const { spec } = await client(CoreV1Api).readNamespacedPod({ namespace, name });
    expect(on).toContain(spec?.nodeName);
  }, patience);
const refused = ({ client, namespace }: Stage, name: string, because: RegExp): Promise<void> =>
  vi.waitFor(async () => {
    const { spec, status } = await client(CoreV1Api).readNamespacedPod({ namespace, name });
    const scheduled = status?.conditions?.find((c) => c.type === "PodScheduled");
    expect([spec?.nodeName, scheduled?.status, scheduled?.reason]).toEqual([undefined, "False", "Unschedulable"]);
    expect(scheduled?.message).toMatch(because);
  }, patience);

behaviour("SchedulerPredicates validates resource limits of pods that are allowed to run", (stage) =>
  withNodes(stage, 2, async (names) => {
    for (const i of names.keys()) await make(stage, `filler-${i}`, asking("1500m"));
    for (const i of names.keys()) await placed(stage, `filler-${i}`, names);
    await make(stage, "additional", asking("1"));
    await refused(stage, "additional", /0\/2 nodes are available: .*2 Insufficient cpu/);
    await make(stage, "small", asking("500m"));
    await placed(stage, "small", names);
  }),
);

behaviour("SchedulerPredicates validates that NodeSelector is respected if not matching", (stage) =>
  withNodes(stage, 2, async () => {
    await make(stage, "restricted", {}, { label: "nonempty" });
    await refused(
      stage,
      "restricted",
      /0\/2 nodes are available: .*2 node\(s\) didn't match Pod's node affinity\/selector/,
    );
  }),
);

behaviour("SchedulerPredicates validates that NodeSelector is respected if matching", (stage) =>
  withNodes(stage, 3, async ([, chosen = ""]) => {
    await make(stage, "with-labels", {}, { [`kubernetes.io/${stage.namespace}`]: "42" });
    await refused(stage, "with-labels", /didn't match Pod's node affinity\/selector/);
    const metadata = { labels: { [`kubernetes.io/${stage.namespace}`]: "42" } };
    await patched(stage.ask, `/api/v1/nodes/${chosen}`, { metadata });
    await placed(stage, "with-labels", [chosen]);
  }),
);

const onPort = (hostIP: string | undefined, protocol = "TCP"): object => ({
  ports: [{ containerPort: 8080, hostPort: 54322, protocol, ...(hostIP && { hostIP }) }],
});

behaviour(
  "SchedulerPredicates validates that there exists conflict between pods with same hostPort and protocol but one using 0.0.0.0 hostIP",
  (stage) =>
    withNodes(stage, 1, async (names) => {
      await make(stage, "pod4", onPort(undefined));
      await placed(stage, "pod4", names);
      await make(stage, "pod5", onPort("127.0.0.1"));
      await refused(stage, "pod5", /1 node\(s\) didn't have free ports for the requested pod ports/);
      await make(stage, "pod6", onPort("127.0.0.1", "UDP"));
      await placed(stage, "pod6", names);
    }),
);
