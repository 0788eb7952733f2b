// Describes nodes: conditions, capacity, pods, and how much of the node they request.
import type { Lease, Node, Pod, ResourceSlice } from "../../api/generated/types.ts";
import { hasReason } from "../../api/errors.ts";
import type { Instant } from "../../api/meta.ts";
import { type Amounts, addAmounts, podAmounts } from "../../api/core/pod/pod-resources.ts";
import { canonicalQuantity, parseQuantity } from "../../api/quantity.ts";
import type { Describer } from "./describer.ts";
import {
  annotationLines,
  byKey,
  field,
  indented,
  type Lines,
  labelLines,
  multiline,
  orNone,
  since,
  table,
  timeText,
} from "./layout.ts";

const rolePrefix = "node-role.kubernetes.io/";

/** The roles of a node, which its labels name. */
function rolesOf({ metadata: { labels = {} } }: Node): string {
  const roles = Object.entries(labels).flatMap(([key, value]) => {
    if (key.startsWith(rolePrefix)) return key.length > rolePrefix.length ? [key.slice(rolePrefix.length)] : [];
    return key === "kubernetes.io/role" && value !== "" ? [value] : [];
  });
  return orNone([...new Set(roles)].sort().join(","));
}

const taintLines = ({ spec }: Node): Lines =>
  multiline(
    "Taints",
    (spec?.taints ?? [])
      .map(({ key, value, effect }) => ({ effect, text: `${key}${value ? `=${value}` : ""}:${effect}` }))
      .toSorted((a, b) => (a.effect === b.effect ? 0 : a.effect < b.effect ? -1 : 1))
      .map(({ text }) => text),
  );

function leaseLines(lease: Lease | Error): Lines {
  if (lease instanceof Error) return [field("Lease", `Failed to get lease: ${lease.message}`)];
  const time = (text: string | undefined): string => (text === undefined ? "<unset>" : timeText(text));
  return [
    "Lease:",
    `  ${field("HolderIdentity", lease.spec?.holderIdentity ?? "<unset>")}`,
    `  ${field("AcquireTime", time(lease.spec?.acquireTime))}`,
    `  ${field("RenewTime", time(lease.spec?.renewTime))}`,
  ];
}

function conditionLines({ status }: Node): Lines {
  const list = status?.conditions ?? [];
  if (list.length === 0) return [];
  const rows = list.map((c) => [
    `${c.type} `,
    `${c.status} `,
    `${timeText(c.lastHeartbeatTime)} `,
    `${timeText(c.lastTransitionTime)} `,
    `${c.reason ?? ""} `,
    c.message ?? "",
  ]);
  const titles = ["Type", "Status", "LastHeartbeatTime", "LastTransitionTime", "Reason", "Message"];
  return ["Conditions:", ...indented(table(titles, rows))];
}

const amountLines = (name: string, map: Readonly<Record<string, string>> | undefined): Lines => {
  const entries = byKey(map);
  return entries.length === 0 ? [] : [`${name}:`, ...entries.map(([key, value]) => `  ${field(key, value)}`)];
};

function systemLines({ status }: Node): Lines {
  const info = status?.nodeInfo;
  return [
    "System Info:",
    ...indented([
      field("Machine ID", info?.machineID),
      field("System UUID", info?.systemUUID),
      field("Boot ID", info?.bootID),
      field("Kernel Version", info?.kernelVersion),
      field("OS Image", info?.osImage),
      field("Operating System", info?.operatingSystem),
      field("Architecture", info?.architecture),
      field("Container Runtime Version", info?.containerRuntimeVersion),
      field("Kubelet Version", info?.kubeletVersion),
    ]),
  ];
}

const nanoOf = (amount: string | undefined): bigint => parseQuantity(amount ?? "0")?.nano ?? 0n;

/** An amount, and its share of what the node can allocate, rounded down. */
function withShare(amount: string | undefined, { status }: Node, resource: string): string {
  const total = nanoOf((status?.allocatable ?? status?.capacity)?.[resource]);
  return `${canonicalQuantity(amount ?? "0")} (${total === 0n ? 0n : (nanoOf(amount) * 100n) / total}%)`;
}

/** The requests or limits of a pod with the overhead of its runtime, which does not limit what is unlimited. */
function amountsOf({ spec }: Pod, which: "requests" | "limits"): Amounts {
  const amounts = podAmounts(spec, which);
  const overhead = Object.entries(spec.overhead ?? {}).filter(([name]) => which === "requests" || name in amounts);
  return addAmounts(amounts, Object.fromEntries(overhead));
}

function podRows(pods: readonly Pod[], node: Node, now: Instant): Lines {
  const rows = pods.map((pod) => {
    const both = [amountsOf(pod, "requests"), amountsOf(pod, "limits")];
    const cells = ["cpu", "memory"].flatMap((name) => both.map((amounts) => withShare(amounts[name], node, name)));
    return [pod.metadata.namespace!, pod.metadata.name, "", ...cells, since(pod.metadata.creationTimestamp, now)];
  });
  const titles = ["Namespace", "Name", "", "CPU Requests", "CPU Limits", "Memory Requests", "Memory Limits", "Age"];
  return [field("Non-terminated Pods", `(${pods.length} in total)`), ...indented(table(titles, rows))];
}

const standard = ["cpu", "memory", "ephemeral-storage"];

/** The sums of all pods, of each resource that the node has. */
function allocatedLines(pods: readonly Pod[], node: Node): Lines {
  const [requests, limits] = (["requests", "limits"] as const).map((which) =>
    pods.map((pod) => amountsOf(pod, which)).reduce(addAmounts, {}),
  );
  const all = Object.keys(node.status?.allocatable ?? node.status?.capacity ?? {}).sort();
  const huge = all.filter((name) => name.startsWith("hugepages-"));
  const extended = all.filter((name) => name.includes("/") && !name.includes("kubernetes.io/"));
  const rows = [
    ...[...standard, ...huge].map((name) => [
      name,
      withShare(requests![name], node, name),
      withShare(limits![name], node, name),
    ]),
    ...extended.map((name) => [name, requests![name] ?? "0", limits![name] ?? "0"]),
  ];
  return [
    "Allocated resources:",
    "  (Total limits may be over 100 percent, i.e., overcommitted.)",
    ...indented(table(["Resource", "Requests", "Limits"], rows)),
  ];
}

const mostPools = 10;

/** The devices of the node, by driver and pool; nothing without any. */
function sliceLines(slices: readonly ResourceSlice[]): Lines {
  const pools = Map.groupBy(slices, ({ spec }) => `${spec.driver}/${spec.pool.name}`);
  if (pools.size === 0) return [];
  const rows = [...pools]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, all]) => {
      const { driver, pool } = all[0]!.spec;
      const devices = all.reduce((sum, { spec }) => sum + (spec.devices?.length ?? 0), 0);
      return [driver, pool.name, String(all.length), String(devices)];
    });
  const more = rows.length > mostPools ? [`...and ${rows.length - mostPools} more pools`] : [];
  return [
    "Node-Local ResourceSlices:",
    ...indented([...table(["Driver", "Pool", "Slices", "Devices"], rows.slice(0, mostPools)), ...more]),
  ];
}

interface NodeRelated {
  readonly pods: readonly Pod[];
  readonly lease: Lease | Error;
  readonly slices: readonly ResourceSlice[];
}

export const nodeDescriber: Describer<Node, NodeRelated> = {
  related: async ({ metadata: { name } }, api) => {
    const selector = `spec.nodeName=${name},status.phase!=Failed,status.phase!=Succeeded`;
    const lease = api
      .get<Lease>(`/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${name}`)
      .catch((error: unknown) => {
        if (hasReason(error, "NotFound", "Forbidden")) return error as Error;
        throw error;
      });
    const pods = await api.list<Pod>(`/api/v1/pods?fieldSelector=${encodeURIComponent(selector)}`);
    const own = encodeURIComponent(`spec.nodeName=${name}`);
    // An older server does not serve them.
    const slices = await api
      .list<ResourceSlice>(`/apis/resource.k8s.io/v1/resourceslices?fieldSelector=${own}`)
      .catch(() => []);
    return { pods, lease: await lease, slices };
  },
  lines: (node, { now, related: { pods, lease, slices } }) => {
    const { metadata, spec, status } = node;
    return [
      field("Name", metadata.name),
      field("Roles", rolesOf(node)),
      ...labelLines("Labels", metadata.labels),
      ...annotationLines(metadata.annotations),
      field("CreationTimestamp", timeText(metadata.creationTimestamp)),
      ...taintLines(node),
      field("Unschedulable", spec?.unschedulable === true),
      ...leaseLines(lease),
      ...conditionLines(node),
      "Addresses:",
      ...(status?.addresses ?? []).map(({ type, address }) => `  ${field(type, address)}`),
      ...amountLines("Capacity", status?.capacity),
      ...amountLines("Allocatable", status?.allocatable),
      ...sliceLines(slices),
      ...systemLines(node),
      ...(spec?.podCIDR ? [field("PodCIDR", spec.podCIDR)] : []),
      ...(spec?.podCIDRs?.length ? [field("PodCIDRs", spec.podCIDRs.join(","))] : []),
      ...(spec?.providerID ? [field("ProviderID", spec.providerID)] : []),
      ...podRows(pods, node, now),
      ...allocatedLines(pods, node),
    ];
  },
};
