// Giving containers more or less while they run (KEP-1287): what they were given, what they ask for, and how they come
// to it. Pure.
import type { Container, Pod, ResourceRequirements } from "../../api/generated/types.ts";
import { sameJson } from "../../api/hash.ts";
import type { RuntimeContainer } from "../runtime.ts";
import { limitsOf } from "./resources.ts";

/** Why a pod is not given what it asks for, as long as it is not. */
export interface PendingResize {
  /** Perhaps later, or never on this node. */
  readonly reason: "Deferred" | "Infeasible";
  readonly message: string;
}

/** How much a container asks for, as a status tells it. */
export const amountsOf = ({ resources }: Container): ResourceRequirements => {
  const { requests, limits } = resources ?? {};
  return { ...(requests && { requests }), ...(limits && { limits }) };
};

/** What this node has said that it gives to a container. */
function givenTo({ status }: Pod, { name }: Container): ResourceRequirements | undefined {
  const told = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  return told.find((s) => s.name === name)?.resources;
}

/** Does it ask for anything else than it was given? */
export const asksAnew = (pod: Pod): boolean =>
  [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].some((c) => {
    const given = givenTo(pod, c);
    return given !== undefined && !sameJson(given, amountsOf(c));
  });

/** The pod, asking for what it was given: all this node goes by until it can give more. */
export function asGiven(pod: Pod): Pod {
  const content = (c: Container): Container => {
    const given = givenTo(pod, c);
    const { requests: _, limits: __, ...rest } = c.resources ?? {};
    return given ? { ...c, resources: { ...rest, ...given } } : c;
  };
  const { containers, initContainers } = pod.spec;
  return {
    ...pod,
    spec: {
      ...pod.spec,
      containers: containers.map(content),
      ...(initContainers && { initContainers: initContainers.map(content) }),
    },
  };
}

/** How a run comes to what its container asks for: it has it, it is given it, or it has to begin anew. */
export function resizeOf(c: Container, { limits: now }: RuntimeContainer): "none" | "inPlace" | "restart" {
  const wanted = limitsOf(c);
  const changed = [
    ...(wanted.cpuShares !== now.cpuShares || wanted.cpuMillis !== now.cpuMillis ? ["cpu"] : []),
    ...(wanted.memoryBytes !== now.memoryBytes ? ["memory"] : []),
  ];
  if (changed.length === 0) return "none";
  const restarts = (c.resizePolicy ?? []).some(
    (p) => p.restartPolicy === "RestartContainer" && changed.includes(p.resourceName),
  );
  return restarts ? "restart" : "inPlace";
}
