// From what people name (`web-1`, `pod/web-1`, `deploy/web`) to the pods behind it.
import type { Deployment, Pod, ReplicaSet, Service } from "../../api/generated/types.ts";
import { isReady } from "../../api/core/pod/status.ts";
import { selectorText } from "../../api/selector.ts";
import { CliError } from "../cli-error.ts";
import type { Connection } from "./connection.ts";
import { pathOf, type Resource, resourcesCalled } from "./resources.ts";

type Selecting = Deployment | ReplicaSet | Service;

function selectorOf(owner: Selecting): string {
  if (owner.kind === "Service") return selectorText({ matchLabels: owner.spec.selector ?? {} });
  return selectorText(owner.spec.selector);
}

async function selected(api: Connection, namespace: string, labelSelector: string): Promise<readonly Pod[]> {
  const path = `/api/v1/namespaces/${namespace}/pods?${new URLSearchParams({ labelSelector })}`;
  return (await api.ask<{ readonly items: readonly Pod[] }>({ path })).body.items;
}

/** Ready ones first: they have most to say. */
export async function podsOf(
  api: Connection,
  resources: readonly Resource[],
  namespace: string,
  text: string,
): Promise<readonly Pod[]> {
  const [type, name] = text.includes("/") ? (text.split("/") as [string, string]) : ["pod", text];
  const resource = resourcesCalled(type, resources)[0]!;
  const { body } = await api.ask<Pod | Selecting>({ path: pathOf(resource, namespace, name) });
  if (body.kind === "Pod") return [body];
  const found = await selected(api, namespace, selectorOf(body));
  if (found.length === 0) throw new CliError(`${text} has no pods`, `See why with: orrery describe ${text}`);
  return found.toSorted((a, b) => Number(isReady(b)) - Number(isReady(a)));
}

/** Pods with these labels. */
export const podsWith = (api: Connection, namespace: string, labels: string): Promise<readonly Pod[]> =>
  selected(api, namespace, labels);

/** The container that is meant: the one named, the one the pod's author marked, or the first. */
export function containerOf(pod: Pod, name: string | undefined): string {
  const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map((c) => c.name);
  if (name !== undefined && !all.includes(name))
    throw new CliError(`container ${name} is not in pod ${pod.metadata.name}`, `It has: ${all.join(", ")}`);
  return name ?? pod.metadata.annotations?.["kubectl.kubernetes.io/default-container"] ?? all[0]!;
}
