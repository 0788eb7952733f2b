// What a pod's status comes to in one word, and what it asks of a node: questions that many components ask alike.
import type { Container, ContainerStatus, Pod, PodSpec } from "../../generated/types.ts";
import { milliOf, unitsOf } from "../../quantity.ts";
import { isHugePages } from "../../resource-names.ts";

/** Finished for good: it will not run again and holds nothing. */
export const isTerminal = (p: Pod): boolean => p.status?.phase === "Succeeded" || p.status?.phase === "Failed";
/** Neither finished nor on its way out. */
export const isActive = (p: Pod): boolean => !isTerminal(p) && p.metadata.deletionTimestamp === undefined;

export const conditionOf = <C extends { readonly type: string }>(
  conditions: readonly C[] | undefined,
  type: string,
): C | undefined => conditions?.find((c) => c.type === type);
export const isReady = (p: Pod): boolean => conditionOf(p.status?.conditions, "Ready")?.status === "True";

/** Amounts by resource name: CPU in thousandths of a core, everything else in whole units (bytes, pieces). */
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

/** Resources that a pod may request as a whole (KEP-2837); they replace the sum over its containers. */
const ofWholePod = ({ resources }: PodSpec): Requests =>
  Object.fromEntries(
    Object.entries(amountsOf(resources?.requests)).filter(
      ([name]) => name === "cpu" || name === "memory" || isHugePages(name),
    ),
  );

/**
 * Its containers together, or the peak of its start if that is more. Init containers run one after another; those that
 * restart always (sidecars, KEP-753) stay and add up.
 */
function summed(spec: PodSpec, requestsOf: (c: Container) => Requests): Requests {
  let sidecars: Requests = {};
  let peak: Requests = {};
  for (const c of spec.initContainers ?? []) {
    const own = requestsOf(c);
    if (c.restartPolicy === "Always") sidecars = plus(sidecars, own);
    peak = most(peak, c.restartPolicy === "Always" ? sidecars : plus(sidecars, own));
  }
  const running = spec.containers.map(requestsOf).reduce(plus, sidecars);
  return plus({ ...most(running, peak), ...ofWholePod(spec) }, amountsOf(spec.overhead));
}

const requestsOf = (c: Container): Requests => amountsOf(c.resources?.requests);
/** What a pod requests of a node. */
export const podRequests = (spec: PodSpec): Requests => summed(spec, requestsOf);

/**
 * What a pod takes of its node. While it is resized in place (KEP-1287) that is the most of what is wanted, allocated
 * and in force; what is wanted and will never be does not count. `missing` stands in for what a container does not
 * request.
 */
export function effectiveRequests({ spec, status }: Pod, missing: Requests = {}): Requests {
  const isInfeasible = conditionOf(status?.conditions, "PodResizePending")?.reason === "Infeasible";
  const statuses = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  return summed(spec, (c) => {
    const now = statuses.find((s) => s.name === c.name);
    const wanted = requestsOf(c);
    const taken = now?.resources && most(amountsOf(now.resources.requests), amountsOf(now.allocatedResources));
    return { ...missing, ...(taken === undefined ? wanted : isInfeasible ? taken : most(wanted, taken)) };
  });
}

/** Quality of service: what the kernel may take first when memory runs out. */
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

const initializing = (p: Pod): string | undefined => {
  const specs = p.spec.initContainers ?? [];
  for (const [i, s] of (p.status?.initContainerStatuses ?? []).entries()) {
    const sidecar = specs.find((c) => c.name === s.name)?.restartPolicy === "Always";
    if (s.state?.terminated?.exitCode === 0 || (sidecar && s.started === true)) continue;
    const { terminated, waiting } = s.state ?? {};
    if (terminated)
      return `Init:${terminated.reason || (terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`)}`;
    if (waiting?.reason && waiting.reason !== "PodInitializing") return `Init:${waiting.reason}`;
    return `Init:${i}/${specs.length}`;
  }
  return undefined;
};

const containerReason = (s: ContainerStatus): string | undefined => {
  const { waiting, terminated } = s.state ?? {};
  if (waiting?.reason) return waiting.reason;
  if (!terminated) return undefined;
  return terminated.reason || (terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`);
};

/** The STATUS column of `kubectl get pods`. One that has ended on its way out is said to have ended. */
export function statusWord(p: Pod): string {
  const isLeaving = p.metadata.deletionTimestamp !== undefined;
  if (isLeaving && p.status?.reason === "NodeLost") return "Unknown";
  if (isLeaving && !isTerminal(p)) return "Terminating";
  const starting = initializing(p);
  if (starting !== undefined) return starting;
  const statuses = p.status?.containerStatuses ?? [];
  const word = statuses.map(containerReason).find((r) => r !== undefined);
  if (word === "Completed" && statuses.some((s) => s.state?.running && s.ready))
    return isReady(p) ? "Running" : "NotReady";
  const gated =
    conditionOf(p.status?.conditions, "PodScheduled")?.reason === "SchedulingGated" ? "SchedulingGated" : undefined;
  return word ?? gated ?? p.status?.reason ?? p.status?.phase ?? "Unknown";
}

export const restarts = (p: Pod): number =>
  (p.status?.containerStatuses ?? []).reduce((sum, s) => sum + s.restartCount, 0);
