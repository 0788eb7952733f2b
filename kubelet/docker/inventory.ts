// Lists what is ours. A container is inspected once per state it is in: we never start one twice, so nothing else can
// change but what it may use, and of that whoever changes it tells.
import type Docker from "dockerode";
import type { ContainerInfo, ContainerInspectInfo } from "dockerode";
import type { Inventory, RuntimeContainer, Sandbox } from "../runtime.ts";
import { ask } from "./engine-error.ts";
import { containerOf, sandboxOf } from "./inspected.ts";
import { isPoolName, nodeLabel } from "./names.ts";

interface Seen {
  readonly key: string;
  readonly info: ContainerInspectInfo;
}

/** The engine's containers that carry this node's label. */
export interface DockerInventory {
  list(podUid: string | undefined): Promise<Inventory>;
  /** Sandboxes nobody has taken yet. */
  pool(): Promise<readonly ContainerInfo[]>;
  /** The engine has told of a change: its list lags behind its events, so the container is to be inspected again. */
  touched(id: string): void;
  processOf(id: string): number | undefined;
}

export function dockerInventory(docker: Docker, nodeName: string): DockerInventory {
  const seen = new Map<string, Seen>();
  const touches = new Map<string, number>();

  const listed = async (name?: string): Promise<readonly ContainerInfo[]> =>
    (await ask(() =>
      docker.listContainers({
        all: true,
        filters: { label: [`${nodeLabel}=${nodeName}`], ...(name === undefined ? {} : { name: [name] }) },
      }),
    )) ?? [];

  const inspect = async (c: ContainerInfo): Promise<ContainerInspectInfo | undefined> => {
    const key = `${c.Names[0]} ${c.State}`;
    const before = seen.get(c.Id);
    if (before?.key === key && c.State !== "created") return before.info;
    const touchesBefore = touches.get(c.Id);
    const info = await ask(() => docker.getContainer(c.Id).inspect(), 404);
    // Two looks, and perhaps news between them: only when all agree is the answer worth keeping.
    const agreed = info?.State.Status === c.State && info.Name === c.Names[0] && touches.get(c.Id) === touchesBefore;
    if (info !== undefined && agreed) seen.set(c.Id, { key, info });
    return info;
  };

  return {
    async list(podUid) {
      const all = await listed(podUid === undefined ? undefined : `_${podUid}_`);
      if (podUid === undefined) {
        const ids = new Set(all.map((c) => c.Id));
        for (const known of [seen, touches]) for (const id of known.keys()) if (!ids.has(id)) known.delete(id);
      }
      const infos = (await Promise.all(all.map(inspect))).filter((i) => i !== undefined);
      return {
        sandboxes: infos.map(sandboxOf).filter((s): s is Sandbox => s !== undefined),
        containers: infos.map(containerOf).filter((c): c is RuntimeContainer => c !== undefined),
      };
    },
    pool: async () => (await listed("orrery_pool_")).filter((c) => isPoolName(c.Names[0] ?? "")),
    touched(id) {
      seen.delete(id);
      touches.set(id, (touches.get(id) ?? 0) + 1);
    },
    processOf: (id) => seen.get(id)?.info.State.Pid || undefined,
  };
}
