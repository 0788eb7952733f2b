// Resolves `web-1`, `pod/web-1` or `deploy/web` to pods, and a pod to one of its containers.
import type { Deployment, Pod, ReplicaSet, Service } from "../../api/generated/types.ts";
import { isReady } from "../../api/core/pod/status.ts";
import { selectorText } from "../../api/selector.ts";
import { CliError } from "../cli-error.ts";
import type { Connection } from "./connection.ts";
import type { Session } from "./session.ts";
import { targetPath, targetsOf } from "./targets.ts";

type PodOwner = Deployment | ReplicaSet | Service;

const selectorOf = (owner: PodOwner): string =>
  selectorText(owner.kind === "Service" ? { matchLabels: owner.spec.selector ?? {} } : owner.spec.selector);

/** Pods that match a label selector. */
export const podsMatching = (api: Connection, namespace: string, labelSelector: string): Promise<readonly Pod[]> =>
  api.list(`/api/v1/namespaces/${namespace}/pods?${new URLSearchParams({ labelSelector })}`);

/** A pod, or the pods of a workload or service, ready ones first. */
export async function podsOf(scope: Session, text: string): Promise<readonly Pod[]> {
  const [target] = await targetsOf(scope, [text], {}, { defaultType: "pods" });
  const object = await scope.api.get<Pod | PodOwner>(targetPath(target!));
  if (object.kind === "Pod") return [object];
  const pods = await podsMatching(scope.api, scope.namespace, selectorOf(object));
  if (pods.length === 0) throw new CliError(`${text} has no pods`, `See why with: orrery describe ${text}`);
  return pods.toSorted((a, b) => Number(isReady(b)) - Number(isReady(a)));
}

/** A container by name; by default that of the annotation `default-container`, or else the first. */
export function containerOf(pod: Pod, name: string | undefined): string {
  const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map((c) => c.name);
  if (name !== undefined && !all.includes(name))
    throw new CliError(`container ${name} is not in pod ${pod.metadata.name}`, `It has: ${all.join(", ")}`);
  return name ?? pod.metadata.annotations?.["kubectl.kubernetes.io/default-container"] ?? all[0]!;
}
