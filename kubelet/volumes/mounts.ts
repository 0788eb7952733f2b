// The volume mounts of a container, with their sub-paths resolved on the node.
import { mkdir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Container, Pod, VolumeMount } from "../../api/generated/types.ts";
import { expand, variablesIn } from "../podspec/environment.ts";
import { Unmet } from "../podspec/references.ts";
import type { Mount } from "../runtime.ts";
import { volumePath } from "./volumes.ts";

const propagations: Readonly<Record<string, Mount["propagation"]>> = {
  HostToContainer: "rslave",
  Bidirectional: "rshared",
};

/**
 * The sub-path of a mount, expanded from the container's environment. Throws `Unmet` for one that could leave its
 * volume, or whose variables are not set.
 */
function subPathOf({ subPath = "", subPathExpr }: VolumeMount, env: ReadonlyMap<string, string>): string {
  if (!subPathExpr) return subPath;
  const missing = variablesIn(subPathExpr).filter((name) => !env.get(name));
  if (missing.length > 0) throw new Unmet(`missing value for ${[...new Set(missing)].toSorted().join(", ")}`);
  const expanded = expand(subPathExpr, env);
  if (expanded.startsWith("/")) throw new Unmet(`error SubPath \`${expanded}\` must not be an absolute path`);
  if (expanded.split("/").includes(".."))
    throw new Unmet(`unable to provision SubPath \`${expanded}\`: must not contain '..'`);
  return expanded;
}

/** Makes a path inside a volume, and checks that no symbolic link in it leads out of the volume. */
async function inside(root: string, subPath: string): Promise<string> {
  const wanted = join(root, subPath);
  const there = await stat(wanted).catch(() => undefined);
  if (there === undefined) await mkdir(wanted, { recursive: true, mode: 0o750 });
  const [real, realRoot] = await Promise.all([realpath(wanted), realpath(root)]);
  if (real !== realRoot && !real.startsWith(`${realRoot}/`))
    throw new Unmet(`subPath "${subPath}" leads out of its volume`);
  return real;
}

async function mountOf(stateDir: string, pod: Pod, m: VolumeMount, env: ReadonlyMap<string, string>): Promise<Mount> {
  const volume = pod.spec.volumes?.find((v) => v.name === m.name);
  const root = volume && volumePath(stateDir, pod.metadata.uid, volume);
  if (volume === undefined || root === undefined) throw new Unmet(`volume "${m.name}" is not there to be mounted`);
  const subPath = subPathOf(m, env);
  const fromApi = volume.configMap ?? volume.secret ?? volume.downwardAPI ?? volume.projected;
  return {
    source: subPath ? await inside(root, subPath) : root,
    target: m.mountPath.startsWith("/") ? m.mountPath : `/${m.mountPath}`,
    readOnly: (m.readOnly ?? false) || fromApi !== undefined,
    propagation: propagations[m.mountPropagation ?? ""] ?? "rprivate",
  };
}

/** The mounts of the container's spec, in order. */
export const containerMounts = (
  stateDir: string,
  pod: Pod,
  c: Container,
  env: ReadonlyMap<string, string>,
): Promise<readonly Mount[]> => Promise.all((c.volumeMounts ?? []).map((m) => mountOf(stateDir, pod, m, env)));
