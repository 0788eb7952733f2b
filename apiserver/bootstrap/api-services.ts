// One APIService object for every group version that this server itself serves, kept equal to the served set.
import { hasReason } from "../../api/errors.ts";
import { apiServices } from "../../api/apiregistration/apiservices.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, type Draft, keyOf } from "../../api/meta.ts";
import type { Client } from "../../machinery/client.ts";
import type { KindRegistry } from "../../machinery/kind-registry.ts";
import { subscribe } from "../../machinery/signal.ts";
import type { World } from "../../machinery/world.ts";
import { priorityOf } from "../discovery/priorities.ts";
import { ensure } from "./ensure.ts";

/** `onstart` marks the objects of built-in groups, `true` those of groups that come and go. */
const label = "kube-aggregator.kubernetes.io/automanaged";
const retryMs = 5_000;

/** The group version of APIServices has none of its own. */
const itself = `${apiServices.version}.${apiServices.group}`;

/** The objects for these kinds, in the order in which their group versions appear. */
export function localApiServices(
  kinds: readonly ResourceDefinition[],
  automanaged: "onstart" | "true" = "onstart",
): readonly (readonly [ResourceDefinition, Draft<ApiObject>])[] {
  const served = new Map(kinds.map(({ group, version }) => [`${version}.${group}`, { group, version }]));
  served.delete(itself);
  return [...served].map(([name, { group, version }]) => [
    apiServices as unknown as ResourceDefinition,
    {
      metadata: { name, labels: { [label]: automanaged } },
      spec: {
        ...(group !== "" && { group }),
        version,
        groupPriorityMinimum: priorityOf(group, version).group,
        versionPriority: priorityOf(group, version).version,
      },
    } as unknown as Draft<ApiObject>,
  ]);
}

async function synchronize(client: Client, kinds: readonly ResourceDefinition[]): Promise<void> {
  const wanted = localApiServices(kinds, "true");
  for (const [r, draft] of wanted) await ensure(client, r, draft);
  const names = new Set(wanted.map(([, { metadata }]) => metadata.name));
  const { items } = await client.list(apiServices);
  for (const item of items) {
    if (names.has(item.metadata.name) || item.metadata.labels?.[label] === undefined) continue;
    await client.delete(apiServices, keyOf(item)).catch((e: unknown) => {
      if (!hasReason(e, "NotFound")) throw e;
    });
  }
}

/** Creates and deletes APIServices as group versions come to be served and cease to be, until the signal is aborted. */
export async function keepApiServices(
  client: Client,
  kinds: KindRegistry,
  world: World,
  signal: AbortSignal,
): Promise<void> {
  const changes = subscribe([kinds.changed], signal);
  let isBehind = false;
  while (!signal.aborted) {
    if (isBehind) await world.clock.sleep(retryMs, signal).catch(() => {});
    else await changes.next();
    if (signal.aborted) break;
    try {
      await synchronize(client, kinds.all());
      isBehind = false;
    } catch (e) {
      isBehind = true;
      world.log("APIServices not synchronized", { error: (e as Error).message });
    }
  }
  changes.close();
}
