// The downward API: values of a pod's fields and resources. Pure.
import type { Container, Pod, ResourceFieldSelector } from "../../api/generated/types.ts";
import { parseQuantity } from "../../api/quantity.ts";
import { containerNamed } from "./containers.ts";

/** Values of the node that the pod's status may not have yet. */
export interface NodeFacts {
  readonly hostIp: string;
  readonly podIp: string | undefined;
  readonly allocatable: Readonly<Record<string, string>>;
}

const quoted = (text: string): string => JSON.stringify(text);
const written = (map: Readonly<Record<string, string>> | undefined): string =>
  Object.entries(map ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([k, v]) => `${k}=${quoted(v)}`)
    .join("\n");

/** The value of a `fieldRef`; undefined for an unknown field. */
export function fieldValue(pod: Pod, path: string, facts: NodeFacts): string | undefined {
  const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path);
  if (subscript) return pod.metadata[subscript[1] as "labels" | "annotations"]?.[subscript[2]!] ?? "";
  const podIp = facts.podIp ?? pod.status?.podIP ?? "";
  const values: Readonly<Record<string, string | undefined>> = {
    "metadata.name": pod.metadata.name,
    "metadata.namespace": pod.metadata.namespace,
    "metadata.uid": pod.metadata.uid,
    "metadata.labels": written(pod.metadata.labels),
    "metadata.annotations": written(pod.metadata.annotations),
    "spec.nodeName": pod.spec.nodeName ?? "",
    "spec.serviceAccountName": pod.spec.serviceAccountName ?? "",
    "status.hostIP": facts.hostIp,
    "status.hostIPs": facts.hostIp,
    "status.podIP": podIp,
    "status.podIPs": podIp,
  };
  return values[path];
}

/** A missing limit is the node's allocatable amount, a missing request zero. */
function quantityFor(c: Container, resource: string, facts: NodeFacts): string {
  const [kind, ...rest] = resource.split(".");
  const name = rest.join(".");
  const limit = c.resources?.limits?.[name] ?? facts.allocatable[name] ?? "0";
  return kind === "limits" ? limit : (c.resources?.requests?.[name] ?? "0");
}

/** The value of a `resourceFieldRef` in units of its divisor, rounded up. */
export function resourceValue(
  pod: Pod,
  own: Container | undefined,
  ref: ResourceFieldSelector,
  facts: NodeFacts,
): string | undefined {
  const c = ref.containerName ? containerNamed(pod, ref.containerName) : own;
  if (c === undefined) return undefined;
  const value = parseQuantity(quantityFor(c, ref.resource, facts))?.nano ?? 0n;
  const divisor = parseQuantity(ref.divisor && ref.divisor !== "0" ? ref.divisor : "1")?.nano ?? 1n;
  return String((value + divisor - 1n) / divisor);
}
