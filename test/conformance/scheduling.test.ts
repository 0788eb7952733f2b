// Scheduling with the running scheduler and controllers. The nodes are only API objects.
import { CoreV1Api, NodeV1Api } from "@kubernetes/client-node";
import { expect, vi } from "vitest";
import { behaviour, type ScenarioContext } from "./behaviour.ts";
import { waitOptions, whileScheduled } from "./running-controllers.ts";
import { patched } from "./requests.ts";

/** Runs the body with ready nodes for the pods of this namespace. */
async function withNodes(
  context: ScenarioContext,
  count: number,
  body: (names: readonly string[]) => Promise<void>,
): Promise<void> {
  const core = context.client(CoreV1Api);
  const names = Array.from({ length: count }, (_, i) => `${context.namespace}-${i}`);
  const amounts = { cpu: "2", memory: "1Gi", pods: "10" };
  const conditions = [{ type: "Ready", status: "True", reason: "KubeletReady", message: "ready" }];
  const status = { allocatable: amounts, capacity: amounts, conditions };
  const labels = (name: string) => ({ for: context.namespace, "kubernetes.io/hostname": name });
  await whileScheduled(context, async () => {
    for (const name of names)
      await core.createNode({ body: { metadata: { name, labels: labels(name) }, status } as any });
    await body(names);
    for (const name of names) await core.deleteNode({ name });
  });
}

const make = (
  { client, namespace }: ScenarioContext,
  name: string,
  container: object,
  selector: object = {},
  more = {},
) => {
  const spec = {
    nodeSelector: { for: namespace, ...selector },
    containers: [{ name: "c", image: "registry.example.com/web:1", ...container }],
    ...more,
  };
  return client(CoreV1Api).createNamespacedPod({ namespace, body: { metadata: { name }, spec } as any });
};
const asking = (cpu: string): object => ({ resources: { requests: { cpu }, limits: { cpu } } });
const placed = ({ client, namespace }: ScenarioContext, name: string, on: readonly string[]): Promise<void> =>
  vi.waitFor(async () => {
    const { spec } = await client(CoreV1Api).readNamespacedPod({ namespace, name });
    expect(on).toContain(spec?.nodeName);
  }, waitOptions);
const refused = ({ client, namespace }: ScenarioContext, name: string, because: RegExp): Promise<void> =>
  vi.waitFor(async () => {
    const { spec, status } = await client(CoreV1Api).readNamespacedPod({ namespace, name });
    const scheduled = status?.conditions?.find((c) => c.type === "PodScheduled");
    expect([spec?.nodeName, scheduled?.status, scheduled?.reason]).toEqual([undefined, "False", "Unschedulable"]);
    expect(scheduled?.message).toMatch(because);
  }, waitOptions);

behaviour("SchedulerPredicates validates resource limits of pods that are allowed to run", (context) =>
  withNodes(context, 2, async (names) => {
    for (const i of names.keys()) await make(context, `filler-${i}`, asking("1500m"));
    for (const i of names.keys()) await placed(context, `filler-${i}`, names);
    await make(context, "additional", asking("1"));
    await refused(context, "additional", /0\/2 nodes are available: .*2 Insufficient cpu/);
    await make(context, "small", asking("500m"));
    await placed(context, "small", names);
  }),
);

behaviour("SchedulerPredicates validates that NodeSelector is respected if not matching", (context) =>
  withNodes(context, 2, async () => {
    await make(context, "restricted", {}, { label: "nonempty" });
    await refused(
      context,
      "restricted",
      /0\/2 nodes are available: .*2 node\(s\) didn't match Pod's node affinity\/selector/,
    );
  }),
);

behaviour("SchedulerPredicates validates that NodeSelector is respected if matching", (context) =>
  withNodes(context, 3, async ([, chosen = ""]) => {
    await make(context, "with-labels", {}, { [`kubernetes.io/${context.namespace}`]: "42" });
    await refused(context, "with-labels", /didn't match Pod's node affinity\/selector/);
    const metadata = { labels: { [`kubernetes.io/${context.namespace}`]: "42" } };
    await patched(context.send, `/api/v1/nodes/${chosen}`, { metadata });
    await placed(context, "with-labels", [chosen]);
  }),
);

const onPort = (hostIP: string | undefined, protocol = "TCP"): object => ({
  ports: [{ containerPort: 8080, hostPort: 54322, protocol, ...(hostIP && { hostIP }) }],
});

behaviour(
  "SchedulerPredicates validates that there exists conflict between pods with same hostPort and protocol but one using 0.0.0.0 hostIP",
  (context) =>
    withNodes(context, 1, async (names) => {
      await make(context, "pod4", onPort(undefined));
      await placed(context, "pod4", names);
      await make(context, "pod5", onPort("127.0.0.1"));
      await refused(context, "pod5", /1 node\(s\) didn't have free ports for the requested pod ports/);
      await make(context, "pod6", onPort("127.0.0.1", "UDP"));
      await placed(context, "pod6", names);
    }),
);

const taint = { key: "kubernetes.io/e2e-evict-taint-key", value: "evictTaintVal", effect: "NoExecute" };
const bearing = (tolerationSeconds: number): object => ({
  tolerations: [{ key: taint.key, operator: "Equal", value: taint.value, effect: taint.effect, tolerationSeconds }],
});
const taints = ({ send }: ScenarioContext, node: string, all: readonly object[]) =>
  patched(send, `/api/v1/nodes/${node}`, { spec: { taints: all } });
/** A pod on this node that tolerates the taint for a time. */
async function bears(context: ScenarioContext, name: string, node: string, tolerationSeconds: number): Promise<void> {
  await make(context, name, {}, { "kubernetes.io/hostname": node }, bearing(tolerationSeconds));
  await placed(context, name, [node]);
}
const deletedAt = async ({ client, namespace }: ScenarioContext, name: string): Promise<Date | undefined> =>
  (await client(CoreV1Api).readNamespacedPod({ namespace, name })).metadata?.deletionTimestamp;
const evicted = (context: ScenarioContext, name: string): Promise<void> =>
  vi.waitFor(async () => expect(await deletedAt(context, name)).toBeDefined(), waitOptions);

behaviour("NoExecuteTaintManager Single Pod removing taint cancels eviction", (context) =>
  withNodes(context, 2, async ([first = "", second = ""]) => {
    await bears(context, "kept", first, 5);
    await bears(context, "witness", second, 5);
    await taints(context, first, [taint]);
    await taints(context, first, []);
    // The later pod is evicted after the time in which the tolerating one would have been.
    await taints(context, second, [taint]);
    await evicted(context, "witness");
    expect(await deletedAt(context, "kept")).toBeUndefined();
  }),
);

behaviour("NoExecuteTaintManager Multiple Pods evicts pods with minTolerationSeconds", (context) =>
  withNodes(context, 1, async ([node = ""]) => {
    await bears(context, "short", node, 1);
    await bears(context, "long", node, 6);
    await bears(context, "longest", node, 3600);
    await taints(context, node, [taint]);
    for (const name of ["short", "long"]) await evicted(context, name);
    const [short, long] = [await deletedAt(context, "short"), await deletedAt(context, "long")];
    expect(long!.getTime()).toBeGreaterThan(short!.getTime());
    expect(await deletedAt(context, "longest")).toBeUndefined();
  }),
);

/** A pod of a RuntimeClass that selects one of two nodes. */
async function ofClass(
  context: ScenarioContext,
  more: object,
  then: (overhead: object | undefined) => void,
): Promise<void> {
  const runtimeClassName = `${context.namespace}-preconfigured`;
  const classes = context.client(NodeV1Api);
  await withNodes(context, 2, async ([, chosen = ""]) => {
    const scheduling = { nodeSelector: { "kubernetes.io/hostname": chosen } };
    const body = { metadata: { name: runtimeClassName }, handler: "runc", scheduling, ...more };
    await classes.createRuntimeClass({ body });
    const made = await make(context, "runs", asking("1500m"), {}, { runtimeClassName });
    await placed(context, "runs", [chosen]);
    then(made.spec?.overhead);
    await classes.deleteRuntimeClass({ name: runtimeClassName });
  });
}

behaviour("RuntimeClass should schedule a Pod requesting a RuntimeClass without PodOverhead", (context) =>
  ofClass(context, {}, (overhead) => expect(overhead).toBeUndefined()),
);

behaviour("RuntimeClass should schedule a Pod requesting a RuntimeClass and initialize its Overhead", (context) =>
  ofClass(context, { overhead: { podFixed: { cpu: "10m", memory: "1Mi" } } }, (overhead) =>
    expect(overhead).toEqual({ cpu: "10m", memory: "1Mi" }),
  ),
);
