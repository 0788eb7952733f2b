// Whether this node will run a pod the scheduler, or somebody by hand, has given it. Pure.
import type { Node, Pod, PodSpec } from "../api/generated/types.ts";
import { podRequests } from "../api/pod/status.ts";
import { milliOf, unitsOf } from "../api/quantity.ts";
import type { Rejection } from "./pod/observation.ts";

/** The node as far as admission cares. */
export interface Room {
  readonly labels: Readonly<Record<string, string>>;
  readonly allocatable: Readonly<Record<string, string>>;
  readonly taints: NonNullable<Node["spec"]["taints"]>;
}

const notEnough = (resource: string, requested: number, used: number, capacity: number): Rejection => ({
  reason: `OutOf${resource}`,
  message: `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
});

function resourcesFit(pod: Pod, others: readonly Pod[], { allocatable }: Room): Rejection | undefined {
  const room = { cpu: milliOf(allocatable.cpu), memory: unitsOf(allocatable.memory), pods: unitsOf(allocatable.pods) };
  const own = podRequests(pod.spec);
  const used = others.map((p) => podRequests(p.spec));
  const cpu = used.reduce((sum, r) => sum + r.cpuMillis, 0);
  const memory = used.reduce((sum, r) => sum + r.memoryBytes, 0);
  if (others.length + 1 > room.pods) return notEnough("pods", 1, others.length, room.pods);
  if (own.cpuMillis > 0 && cpu + own.cpuMillis > room.cpu) return notEnough("cpu", own.cpuMillis, cpu, room.cpu);
  if (own.memoryBytes > 0 && memory + own.memoryBytes > room.memory)
    return notEnough("memory", own.memoryBytes, memory, room.memory);
  return undefined;
}

type Requirement = { readonly key: string; readonly operator: string; readonly values?: readonly string[] };
function meets(value: string | undefined, { operator, values = [] }: Requirement): boolean {
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
      return value !== undefined && Number(value) > Number(values[0]);
    case "Lt":
      return value !== undefined && Number(value) < Number(values[0]);
    default:
      return false;
  }
}

function labelsFit(spec: PodSpec, labels: Readonly<Record<string, string>>, nodeName: string): boolean {
  if (!Object.entries(spec.nodeSelector ?? {}).every(([k, v]) => labels[k] === v)) return false;
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (terms === undefined) return true;
  return terms.some((t) => {
    const expressions = t.matchExpressions ?? [];
    const fields = t.matchFields ?? [];
    if (expressions.length + fields.length === 0) return false;
    return expressions.every((e) => meets(labels[e.key], e)) && fields.every((f) => meets(nodeName, f));
  });
}

/** Taints that would drive it away at once keep it from starting. */
function tolerates(spec: PodSpec, taints: Room["taints"]): boolean {
  return taints
    .filter((t) => t.effect === "NoExecute")
    .every((taint) =>
      (spec.tolerations ?? []).some(
        (t) =>
          (!t.effect || t.effect === taint.effect) &&
          (!t.key || t.key === taint.key) &&
          (t.operator === "Exists" || (t.value ?? "") === (taint.value ?? "")),
      ),
    );
}

/** `others` are the pods this node already answers for. */
export function admission(pod: Pod, others: readonly Pod[], room: Room): Rejection | undefined {
  if (!labelsFit(pod.spec, room.labels, pod.spec.nodeName ?? ""))
    return {
      reason: "NodeAffinity",
      message: "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    };
  if (!tolerates(pod.spec, room.taints))
    return { reason: "TaintToleration", message: "Predicate TaintToleration failed: node(s) had untolerated taint(s)" };
  return resourcesFit(pod, others, room);
}
