// Which of the pod's volumes a container sees, where, and how.
import { mkdir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Container, Pod, VolumeMount } from "../../api/generated/types.ts";
import { expand } from "../podspec/environment.ts";
import { Unmet } from "../podspec/references.ts";
import type { Mount } from "../runtime.ts";
import { volumePath } from "./volumes.ts";

const propagations: Readonly<Record<string, Mount["propagation"]>> = {
  HostToContainer: "rslave",
  Bidirectional: "rshared",
};

/** A path inside a volume must stay inside it, also after every link in it has been followed. */
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
  const subPath = m.subPathExpr ? expand(m.subPathExpr, env) : m.subPath;
  const written = volume.configMap ?? volume.secret ?? volume.downwardAPI ?? volume.projected;
  return {
    source: subPath ? await inside(root, subPath) : root,
    target: m.mountPath.startsWith("/") ? m.mountPath : `/${m.mountPath}`,
    readOnly: (m.readOnly ?? false) || written !== undefined,
    propagation: propagations[m.mountPropagation ?? ""] ?? "rprivate",
  };
}

/** The mounts a container asks for, in order. */
export const containerMounts = (
  stateDir: string,
  pod: Pod,
  c: Container,
  env: ReadonlyMap<string, string>,
): Promise<readonly Mount[]> => Promise.all((c.volumeMounts ?? []).map((m) => mountOf(stateDir, pod, m, env)));
