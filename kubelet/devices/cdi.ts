// Devices by their CDI names (`vendor.com/class=name`): what the specifications in the node's CDI folders add to a
// container. The engine knows no CDI, so the kubelet reads them. Source: the Container Device Interface, version 1.1.
import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { parse } from "yaml";
import { type Device, type Mount, RuntimeRefused } from "../runtime.ts";

/** Where drivers put specifications; those of a later folder come first. */
export const defaultCdiFolders: readonly string[] = ["/etc/cdi", "/var/run/cdi"];

interface DeviceNode {
  readonly path: string;
  readonly hostPath?: string;
  readonly permissions?: string;
}
interface ContainerEdits {
  readonly env?: readonly string[];
  readonly deviceNodes?: readonly DeviceNode[];
  readonly mounts?: readonly {
    readonly hostPath: string;
    readonly containerPath: string;
    readonly options?: readonly string[];
  }[];
  readonly additionalGids?: readonly number[];
  readonly [other: string]: unknown;
}
interface Specification {
  readonly kind?: string;
  readonly devices?: readonly { readonly name: string; readonly containerEdits?: ContainerEdits }[];
  readonly containerEdits?: ContainerEdits;
}

/** What devices add to a container. */
export interface DeviceEdits {
  readonly env: readonly (readonly [name: string, value: string])[];
  readonly mounts: readonly Mount[];
  readonly devices: readonly Device[];
  readonly groups: readonly string[];
}
const noEdits: DeviceEdits = { env: [], mounts: [], devices: [], groups: [] };

async function specificationsIn(folder: string): Promise<readonly Specification[]> {
  const names = await readdir(folder).catch(() => []);
  const files = names.filter((name) => [".json", ".yaml", ".yml"].includes(extname(name))).toSorted();
  return Promise.all(
    files.map(async (name) => {
      try {
        return (parse(await readFile(join(folder, name), "utf8")) ?? {}) as Specification;
      } catch {
        // A file that is being written or that is wrong defines nothing.
        return {};
      }
    }),
  );
}

const known = new Set(["env", "deviceNodes", "mounts", "additionalGids"]);
const isEmpty = (value: unknown): boolean => value === undefined || (Array.isArray(value) && value.length === 0);

function refuse(id: string, reason: string): never {
  throw new RuntimeRefused(`CDI device injection failed: ${id}: ${reason}`);
}

/** Throws for what the engine cannot do. */
function editsFrom(id: string, edits: ContainerEdits): DeviceEdits {
  const other = Object.entries(edits).find(([name, value]) => !known.has(name) && !isEmpty(value));
  if (other) refuse(id, `${other[0]} are not supported by the container engine`);
  return {
    env: (edits.env ?? []).map((text) => {
      const equals = text.indexOf("=");
      return equals < 0 ? [text, ""] : [text.slice(0, equals), text.slice(equals + 1)];
    }),
    mounts: (edits.mounts ?? []).map(({ hostPath, containerPath, options = [] }) => ({
      ...{ source: hostPath, target: containerPath, readOnly: options.includes("ro") },
    })),
    devices: (edits.deviceNodes ?? []).map(({ path, hostPath = path, permissions = "rwm" }) => ({
      ...{ source: hostPath, target: path, readOnly: !permissions.includes("w") },
    })),
    groups: (edits.additionalGids ?? []).map(String),
  };
}

const together = (a: DeviceEdits, b: DeviceEdits): DeviceEdits => ({
  env: [...a.env, ...b.env],
  mounts: [...a.mounts, ...b.mounts],
  devices: [...a.devices, ...b.devices],
  groups: [...a.groups, ...b.groups],
});

/** What these devices add. Throws `RuntimeRefused` when one is not defined, or wants what the engine cannot do. */
export async function cdiEdits(ids: readonly string[], folders: readonly string[]): Promise<DeviceEdits> {
  if (ids.length === 0) return noEdits;
  const byPriority = (await Promise.all(folders.toReversed().map(specificationsIn))).flat();
  const common = new Set<Specification>();
  let edits = noEdits;
  for (const id of ids) {
    const [kind, name] = id.split("=");
    const specification = byPriority.find((s) => s.kind === kind && s.devices?.some((d) => d.name === name));
    const device = specification?.devices?.find((d) => d.name === name);
    if (!specification || !device) refuse(`unresolvable CDI devices ${id}`, "not found in any specification");
    edits = together(edits, editsFrom(id, device.containerEdits ?? {}));
    common.add(specification);
  }
  for (const { kind = "", containerEdits = {} } of common) edits = together(edits, editsFrom(kind, containerEdits));
  return edits;
}
