// Lists the node's containers. Inspections are cached per state, for a container is started once; only a resize changes
// it otherwise, and invalidates its entry.
import type Docker from "dockerode";
import type { ContainerInfo, ContainerInspectInfo } from "dockerode";
import type { Inventory, RuntimeContainer, Sandbox } from "../runtime.ts";
import { engineCall } from "./engine-error.ts";
import { containerOf, sandboxOf } from "./inspected.ts";
import { isPoolName, nodeLabel } from "./names.ts";

interface CacheEntry {
  readonly key: string;
  readonly info: ContainerInspectInfo;
}

/** The engine's containers that carry this node's label. */
export interface DockerInventory {
  list(podUid: string | undefined): Promise<Inventory>;
  /** Sandboxes in the pool. */
  pool(): Promise<readonly ContainerInfo[]>;
  /** Drops the cached inspection after an event: the engine's list lags behind its events. */
  invalidate(id: string): void;
  processOf(id: string): number | undefined;
}

export function dockerInventory(docker: Docker, nodeName: string): DockerInventory {
  const cache = new Map<string, CacheEntry>();
  const invalidations = new Map<string, number>();

  const listed = async (name?: string): Promise<readonly ContainerInfo[]> =>
    (await engineCall(() =>
      docker.listContainers({
        all: true,
        filters: { label: [`${nodeLabel}=${nodeName}`], ...(name === undefined ? {} : { name: [name] }) },
      }),
    )) ?? [];

  const inspect = async (c: ContainerInfo): Promise<ContainerInspectInfo | undefined> => {
    const key = `${c.Names[0]} ${c.State}`;
    const before = cache.get(c.Id);
    if (before?.key === key && c.State !== "created") return before.info;
    const invalidationsBefore = invalidations.get(c.Id);
    const info = await engineCall(() => docker.getContainer(c.Id).inspect(), 404);
    // Cached only if the list, the inspection and the events in between agree.
    const agreed =
      info?.State.Status === c.State && info.Name === c.Names[0] && invalidations.get(c.Id) === invalidationsBefore;
    if (info !== undefined && agreed) cache.set(c.Id, { key, info });
    return info;
  };

  return {
    async list(podUid) {
      const all = await listed(podUid === undefined ? undefined : `_${podUid}_`);
      if (podUid === undefined) {
        const ids = new Set(all.map((c) => c.Id));
        for (const known of [cache, invalidations]) for (const id of known.keys()) if (!ids.has(id)) known.delete(id);
      }
      const infos = (await Promise.all(all.map(inspect))).filter((i) => i !== undefined);
      return {
        sandboxes: infos.map(sandboxOf).filter((s): s is Sandbox => s !== undefined),
        containers: infos.map(containerOf).filter((c): c is RuntimeContainer => c !== undefined),
      };
    },
    pool: async () => (await listed("orrery_pool_")).filter((c) => isPoolName(c.Names[0] ?? "")),
    invalidate(id) {
      cache.delete(id);
      invalidations.set(id, (invalidations.get(id) ?? 0) + 1);
    },
    processOf: (id) => cache.get(id)?.info.State.Pid || undefined,
  };
}
