// Node: a machine that runs pods.
import type { Node } from "../generated/types.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { conditionOf } from "./pod/status.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { validateNode, validateNodeStatus } from "./nodes-validate.ts";

export type { Node } from "../generated/types.ts";

const rolePrefix = "node-role.kubernetes.io/";
const roles = (n: Node): string => {
  const named = Object.keys(n.metadata.labels ?? {}).flatMap((l) =>
    l.startsWith(rolePrefix) ? [l.slice(rolePrefix.length)] : [],
  );
  const legacy = n.metadata.labels?.["kubernetes.io/role"];
  return [...new Set([...named, ...(legacy ? [legacy] : [])])].toSorted().join(",") || "<none>";
};
const status = (n: Node): string => {
  const ready = conditionOf(n.status?.conditions, "Ready");
  const text = ready === undefined ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady";
  return n.spec.unschedulable === true ? `${text},SchedulingDisabled` : text;
};
/** The address of this type, if the node reports one. */
export const addressOf = (n: Node, type: "InternalIP" | "ExternalIP" | "Hostname"): string | undefined =>
  n.status?.addresses?.find((a) => a.type === type)?.address;

type Status = NonNullable<Node["status"]>;
/** The allocatable resources default to the capacity. */
const statusDefaults = (status: Status): Status => {
  const { capacity, allocatable = capacity } = status;
  return { ...status, ...(allocatable && { allocatable }) };
};

/** `podCIDR` and the first of `podCIDRs` default to each other. */
function defaults(d: Draft<Node>): Draft<Node> {
  const { podCIDR, podCIDRs } = d.spec ?? {};
  const ranges = podCIDRs?.length ? podCIDRs : podCIDR ? [podCIDR] : undefined;
  return {
    ...d,
    spec: { ...d.spec, ...(ranges && { podCIDR: podCIDR || ranges[0]!, podCIDRs: ranges }) },
    ...(d.status && { status: statusDefaults(d.status) }),
  };
}

export const nodes = define<Node>({
  group: "",
  kind: "Node",
  shortNames: ["no"],
  scope: "Cluster",
  subresources: ["status", "proxy"],
  defaults,
  statusDefaults,
  validate: validateNode,
  validateStatus: validateNodeStatus,
  selectable: { "spec.unschedulable": (n) => String(n.spec.unschedulable === true) },
  columns: [
    nameColumn,
    { name: "Status", cell: status },
    { name: "Roles", cell: roles },
    ageColumn,
    { name: "Version", cell: (n) => n.status?.nodeInfo?.kubeletVersion ?? "" },
    { name: "Internal-IP", priority: 1, cell: (n) => addressOf(n, "InternalIP") ?? "<none>" },
    { name: "External-IP", priority: 1, cell: (n) => addressOf(n, "ExternalIP") ?? "<none>" },
    { name: "OS-Image", priority: 1, cell: (n) => n.status?.nodeInfo?.osImage || "<unknown>" },
    { name: "Kernel-Version", priority: 1, cell: (n) => n.status?.nodeInfo?.kernelVersion || "<unknown>" },
    { name: "Container-Runtime", priority: 1, cell: (n) => n.status?.nodeInfo?.containerRuntimeVersion || "<unknown>" },
  ],
});
