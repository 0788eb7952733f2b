// Facts derived from a pod: its phase and conditions, effective requests, quality of service, and the status `kubectl`
// shows.
import type { Container, ContainerStatus, Pod, PodSpec } from "../../generated/types.ts";
import { type Instant, instantOf } from "../../meta.ts";
import { milliOf, unitsOf } from "../../quantity.ts";
import { isHugePages } from "../../resource-names.ts";
import { total } from "./pod-resources.ts";

/** Succeeded or failed: it does not run again and holds no resources. */
export const isTerminal = (p: Pod): boolean => p.status?.phase === "Succeeded" || p.status?.phase === "Failed";
/** Neither terminal nor being deleted. */
export const isActive = (p: Pod): boolean => !isTerminal(p) && p.metadata.deletionTimestamp === undefined;

export const conditionOf = <C extends { readonly type: string }>(
  conditions: readonly C[] | undefined,
  type: string,
): C | undefined => conditions?.find((c) => c.type === type);
export const isReady = (p: Pod): boolean => conditionOf(p.status?.conditions, "Ready")?.status === "True";

/** Milliseconds until a pod has been ready for long enough to be available; infinite while it is not ready. */
export function untilAvailable(p: Pod, minReadySeconds: number, now: Instant): number {
  const ready = conditionOf(p.status?.conditions, "Ready");
  if (ready?.status !== "True") return Number.POSITIVE_INFINITY;
  if (minReadySeconds === 0) return 0;
  const { lastTransitionTime: since } = ready;
  return since === undefined ? Number.POSITIVE_INFINITY : Math.max(0, instantOf(since) + minReadySeconds * 1000 - now);
}

/** Requests by resource name: CPU in thousandths of a core, others in whole units (bytes, pieces). */
export type Requests = Readonly<Record<string, number>>;

const combine = (a: Requests, b: Requests, by: (x: number, y: number) => number): Requests => {
  const result: Record<string, number> = { ...a };
  for (const name in b) result[name] = by(result[name] ?? 0, b[name]!);
  return result;
};
const plus = (a: Requests, b: Requests): Requests => combine(a, b, (x, y) => x + y);
const most = (a: Requests, b: Requests): Requests => combine(a, b, Math.max);

/** A list of quantities as numbers. */
export function amountsOf(list: Readonly<Record<string, string>> | undefined): Requests {
  const amounts: Record<string, number> = {};
  for (const name in list) amounts[name] = name === "cpu" ? milliOf(list[name]) : unitsOf(list[name]);
  return amounts;
}

/** Pod-level requests (KEP-2837), which replace the sum over the containers. */
const podLevel = ({ resources }: PodSpec): Requests =>
  Object.fromEntries(
    Object.entries(amountsOf(resources?.requests)).filter(
      ([name]) => name === "cpu" || name === "memory" || isHugePages(name),
    ),
  );

const sum = (spec: PodSpec, ofContainer: (c: Container) => Requests): Requests =>
  plus({ ...total(spec, ofContainer, { zero: {}, plus, most }), ...podLevel(spec) }, amountsOf(spec.overhead));

const requestsOf = (c: Container): Requests => amountsOf(c.resources?.requests);
/** What a pod requests of a node. */
export const podRequests = (spec: PodSpec): Requests => sum(spec, requestsOf);

/**
 * The resources a pod occupies on its node. During a resize in place (KEP-1287) these are the maximum of those desired,
 * allocated and in force; an infeasible resize does not count. `missing` are defaults for absent requests.
 */
export function effectiveRequests({ spec, status }: Pod, missing: Requests = {}): Requests {
  const isInfeasible = conditionOf(status?.conditions, "PodResizePending")?.reason === "Infeasible";
  const statuses = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  return sum(spec, (c) => {
    const now = statuses.find((s) => s.name === c.name);
    const desired = requestsOf(c);
    const actual = now?.resources && most(amountsOf(now.resources.requests), amountsOf(now.allocatedResources));
    return { ...missing, ...(actual === undefined ? desired : isInfeasible ? actual : most(desired, actual)) };
  });
}

/** The bytes that the containers of a pod may use together; undefined unless each has a limit, or the pod has. */
export function podMemoryLimit(spec: PodSpec): number | undefined {
  const limitOf = ({ resources }: Pick<Container, "resources">): number => unitsOf(resources?.limits?.["memory"]);
  const all = [...spec.containers, ...(spec.initContainers ?? [])];
  if (limitOf(spec) > 0) return limitOf(spec);
  if (all.some((c) => limitOf(c) === 0)) return undefined;
  const sums = { zero: 0, plus: (a: number, b: number) => a + b, most: Math.max };
  return total(spec, limitOf, sums) + unitsOf(spec.overhead?.["memory"]);
}

/** The quality of service class, which decides the order of eviction when memory runs out. */
export function qosClass(spec: PodSpec): "Guaranteed" | "Burstable" | "BestEffort" {
  const all = [...spec.containers, ...(spec.initContainers ?? [])];
  const sized = all.filter((c) =>
    ["cpu", "memory"].some((r) => c.resources?.requests?.[r] !== undefined || c.resources?.limits?.[r] !== undefined),
  );
  if (sized.length === 0) return "BestEffort";
  const exact = (c: Container): boolean =>
    ["cpu", "memory"].every((r) => {
      const limit = c.resources?.limits?.[r];
      return limit !== undefined && (c.resources?.requests?.[r] ?? limit) === limit;
    });
  return all.every(exact) ? "Guaranteed" : "Burstable";
}

type Terminated = NonNullable<NonNullable<ContainerStatus["state"]>["terminated"]>;
const endOf = ({ reason, signal, exitCode }: Terminated): string =>
  reason || (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`);

const initializing = (p: Pod): string | undefined => {
  const specs = p.spec.initContainers ?? [];
  for (const [i, s] of (p.status?.initContainerStatuses ?? []).entries()) {
    const sidecar = specs.find((c) => c.name === s.name)?.restartPolicy === "Always";
    if (s.state?.terminated?.exitCode === 0 || (sidecar && s.started === true)) continue;
    const { terminated, waiting } = s.state ?? {};
    if (terminated) return `Init:${endOf(terminated)}`;
    if (waiting?.reason && waiting.reason !== "PodInitializing") return `Init:${waiting.reason}`;
    return `Init:${i}/${specs.length}`;
  }
  return undefined;
};

const containerReason = (s: ContainerStatus): string | undefined => {
  const { waiting, terminated } = s.state ?? {};
  if (waiting?.reason) return waiting.reason;
  return terminated && endOf(terminated);
};

/** The STATUS column of `kubectl get pods`. A terminal phase takes precedence over a deletion. */
export function statusWord(p: Pod): string {
  const isDeleted = p.metadata.deletionTimestamp !== undefined;
  if (isDeleted && p.status?.reason === "NodeLost") return "Unknown";
  if (isDeleted && !isTerminal(p)) return "Terminating";
  const starting = initializing(p);
  if (starting !== undefined) return starting;
  const statuses = p.status?.containerStatuses ?? [];
  const reason = statuses.map(containerReason).find((r) => r !== undefined);
  if (reason === "Completed" && statuses.some((s) => s.state?.running && s.ready))
    return isReady(p) ? "Running" : "NotReady";
  const gated =
    conditionOf(p.status?.conditions, "PodScheduled")?.reason === "SchedulingGated" ? "SchedulingGated" : undefined;
  return reason ?? gated ?? p.status?.reason ?? p.status?.phase ?? "Unknown";
}

export const restarts = (p: Pod): number =>
  (p.status?.containerStatuses ?? []).reduce((sum, s) => sum + s.restartCount, 0);
