// Where pods go and why not elsewhere, with scheduler and controllers beside the server. The nodes are there as far as
// anybody is told.
import { CoreV1Api, NodeV1Api } from "@kubernetes/client-node";
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

const make = ({ client, namespace }: Stage, name: string, container: object, selector: object = {}, more = {}) => {
  const spec = {
    nodeSelector: { for: namespace, ...selector },
    containers: [{ name: "c", image: "registry.example.com/web:1", ...container }],
    ...more,
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

const taint = { key: "kubernetes.io/e2e-evict-taint-key", value: "evictTaintVal", effect: "NoExecute" };
const bearing = (tolerationSeconds: number): object => ({
  tolerations: [{ key: taint.key, operator: "Equal", value: taint.value, effect: taint.effect, tolerationSeconds }],
});
const taints = ({ ask }: Stage, node: string, all: readonly object[]) =>
  patched(ask, `/api/v1/nodes/${node}`, { spec: { taints: all } });
/** A pod that bears the taint for so long, on this node. */
async function bears(stage: Stage, name: string, node: string, tolerationSeconds: number): Promise<void> {
  await make(stage, name, {}, { "kubernetes.io/hostname": node }, bearing(tolerationSeconds));
  await placed(stage, name, [node]);
}
const deletedAt = async ({ client, namespace }: Stage, name: string): Promise<Date | undefined> =>
  (await client(CoreV1Api).readNamespacedPod({ namespace, name })).metadata?.deletionTimestamp;
const evicted = (stage: Stage, name: string): Promise<void> =>
  vi.waitFor(async () => expect(await deletedAt(stage, name)).toBeDefined(), patience);

behaviour("NoExecuteTaintManager Single Pod removing taint cancels eviction", (stage) =>
  withNodes(stage, 2, async ([first = "", second = ""]) => {
    await bears(stage, "kept", first, 5);
    await bears(stage, "witness", second, 5);
    await taints(stage, first, [taint]);
    await taints(stage, first, []);
    // Whoever is tainted after it is evicted when its own time would long have been up.
    await taints(stage, second, [taint]);
    await evicted(stage, "witness");
    expect(await deletedAt(stage, "kept")).toBeUndefined();
  }),
);

behaviour("NoExecuteTaintManager Multiple Pods evicts pods with minTolerationSeconds", (stage) =>
  withNodes(stage, 1, async ([node = ""]) => {
    await bears(stage, "short", node, 1);
    await bears(stage, "long", node, 6);
    await bears(stage, "longest", node, 3600);
    await taints(stage, node, [taint]);
    for (const name of ["short", "long"]) await evicted(stage, name);
    const [short, long] = [await deletedAt(stage, "short"), await deletedAt(stage, "long")];
    expect(long!.getTime()).toBeGreaterThan(short!.getTime());
    expect(await deletedAt(stage, "longest")).toBeUndefined();
  }),
);

/** A pod of a class of runtime that leads to one of two nodes. */
async function ofClass(stage: Stage, more: object, then: (overhead: object | undefined) => void): Promise<void> {
  const runtimeClassName = `${stage.namespace}-preconfigured`;
  const classes = stage.client(NodeV1Api);
  await withNodes(stage, 2, async ([, chosen = ""]) => {
    const scheduling = { nodeSelector: { "kubernetes.io/hostname": chosen } };
    const body = { metadata: { name: runtimeClassName }, handler: "runc", scheduling, ...more };
    await classes.createRuntimeClass({ body });
    const made = await make(stage, "runs", asking("1500m"), {}, { runtimeClassName });
    await placed(stage, "runs", [chosen]);
    then(made.spec?.overhead);
    await classes.deleteRuntimeClass({ name: runtimeClassName });
  });
}

behaviour("RuntimeClass should schedule a Pod requesting a RuntimeClass without PodOverhead", (stage) =>
  ofClass(stage, {}, (overhead) => expect(overhead).toBeUndefined()),
);

behaviour("RuntimeClass should schedule a Pod requesting a RuntimeClass and initialize its Overhead", (stage) =>
  ofClass(stage, { overhead: { podFixed: { cpu: "10m", memory: "1Mi" } } }, (overhead) =>
    expect(overhead).toEqual({ cpu: "10m", memory: "1Mi" }),
  ),
);
