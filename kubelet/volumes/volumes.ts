// The volumes of a pod on the node's disk: prepared, refreshed and removed; and the mounts of its containers, with
// their sub-paths resolved.
import { type Stats, existsSync } from "node:fs";
import { mkdir, stat, writeFile, chmod, chown, readFile, rm, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { HostPathVolumeSource, Pod, Volume, Container, VolumeMount } from "../../api/generated/types.ts";
import { Unmet } from "../podspec/references.ts";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { unitsOf } from "../../api/quantity.ts";
import { writeAtomically } from "./atomic-write.ts";
import { type ContentSources, contentOf } from "./content.ts";
import { expand, variablesIn } from "../podspec/environment.ts";
import type { Mount } from "../runtime.ts";

type FileType = readonly [is: (s: Stats) => boolean, called: string];
const directory: FileType = [(s) => s.isDirectory(), "directory"];
const file: FileType = [(s) => s.isFile(), "file"];
const types: Readonly<Record<string, FileType>> = {
  Directory: directory,
  DirectoryOrCreate: directory,
  File: file,
  FileOrCreate: file,
  Socket: [(s) => s.isSocket(), "socket file"],
  CharDevice: [(s) => s.isCharacterDevice(), "character device"],
  BlockDevice: [(s) => s.isBlockDevice(), "block device"],
};

/** Resolves with the path; throws `Unmet` for another file type. Without a type a missing path becomes a directory. */
async function prepareHostPath({ path, type = "" }: HostPathVolumeSource): Promise<string> {
  const there = await stat(path).catch(() => undefined);
  if (there === undefined && (type === "" || type === "DirectoryOrCreate"))
    await mkdir(path, { recursive: true, mode: 0o755 });
  if (there === undefined && type === "FileOrCreate") {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await writeFile(path, "", { flag: "a", mode: 0o644 });
  }
  const expected = types[type];
  if (expected === undefined) return path;
  const [is, called] = expected;
  const now = await stat(path).catch(() => undefined);
  if (now === undefined || !is(now)) throw new Unmet(`hostPath type check failed: ${path} is not a ${called}`);
  return path;
}

const execute = promisify(execFile);

/** The folder of everything that the node keeps for a pod. */
export const podFolder = (stateDir: string, podUid: string): string => join(stateDir, "pods", podUid);

/** A volume that could not be set up; `message` is for the user. */
export class VolumeFailure extends Error {
  override readonly name = "VolumeFailure";
}

const folders: Readonly<Record<string, string>> = {
  emptyDir: "kubernetes.io~empty-dir",
  configMap: "kubernetes.io~configmap",
  secret: "kubernetes.io~secret",
  downwardAPI: "kubernetes.io~downward-api",
  projected: "kubernetes.io~projected",
};
const folderFor = (v: Volume): string | undefined =>
  Object.entries(folders).find(([kind]) => v[kind as keyof Volume] !== undefined)?.[1];

/** The path of a volume on the node; undefined for an unsupported type of volume. */
export function volumePath(stateDir: string, podUid: string, v: Volume): string | undefined {
  if (v.hostPath) return v.hostPath.path;
  const folder = folderFor(v);
  return folder === undefined ? undefined : join(podFolder(stateDir, podUid), "volumes", folder, v.name);
}

/** The mount points at and below a folder, innermost first, from the text of `/proc/mounts`. Pure. */
export function mountsBelow(mounts: string, folder: string): readonly string[] {
  const points = mounts.split("\n").flatMap((line) => line.split(" ")[1] ?? []);
  return points.filter((p) => p === folder || p.startsWith(`${folder}/`)).toReversed();
}
const mounted = async (folder: string): Promise<readonly string[]> =>
  mountsBelow(await readFile("/proc/mounts", "utf8"), folder);

async function emptyFolder(v: Volume, path: string, group: number | undefined): Promise<void> {
  const { medium, sizeLimit } = v.emptyDir!;
  const there = medium === "Memory" ? (await mounted(path)).includes(path) : existsSync(path);
  // An existing one keeps what the containers did to it.
  if (there) return;
  await mkdir(path, { recursive: true });
  if (medium === "Memory") {
    const size = sizeLimit === undefined ? [] : ["-o", `size=${unitsOf(sizeLimit)}`];
    await execute("mount", ["-t", "tmpfs", ...size, "tmpfs", path]);
  }
  await chmod(path, group === undefined ? 0o777 : 0o2777);
  if (group !== undefined) await chown(path, 0, group);
}

async function prepare(stateDir: string, v: Volume, sources: ContentSources, stamp: string): Promise<void> {
  const { pod } = sources;
  const path = volumePath(stateDir, pod.metadata.uid, v);
  const group = pod.spec.securityContext?.fsGroup;
  if (path === undefined)
    throw new Unmet(`no volume plugin matched: volume "${v.name}" is of a sort this node does not know`);
  if (v.hostPath) return void (await prepareHostPath(v.hostPath));
  if (v.emptyDir) return emptyFolder(v, path, group);
  await mkdir(path, { recursive: true, mode: 0o755 });
  await writeAtomically(path, contentOf(v, sources)!, stamp, group);
}

/** Prepares or refreshes every volume of the pod. `stamp` names the version that is written. */
export async function prepareVolumes(stateDir: string, sources: ContentSources, stamp: string): Promise<void> {
  for (const v of sources.pod.spec.volumes ?? [])
    try {
      await prepare(stateDir, v, sources, stamp);
    } catch (e) {
      const message = e instanceof Error ? e.message : String(e);
      throw new VolumeFailure(`MountVolume.SetUp failed for volume "${v.name}" : ${message}`);
    }
}

/** Whether a volume of the pod shows API objects, which may change. */
export const hasLiveContent = (pod: Pod): boolean =>
  (pod.spec.volumes ?? []).some((v) => v.configMap ?? v.secret ?? v.downwardAPI ?? v.projected);

/** Removes the pod's folder, after unmounting what is mounted in it, whose contents must not be deleted. */
export async function removePodFolder(stateDir: string, podUid: string): Promise<void> {
  const folder = podFolder(stateDir, podUid);
  for (const point of await mounted(folder)) await execute("umount", [point]);
  await rm(folder, { recursive: true, force: true });
}

const propagations: Readonly<Record<string, "rslave" | "rshared">> = {
  HostToContainer: "rslave",
  Bidirectional: "rshared",
};

/**
 * The sub-path of a mount, expanded from the container's environment. Throws `Unmet` for a path outside of the
 * volume, or with undefined variables.
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
  const requested = join(root, subPath);
  const there = await stat(requested).catch(() => undefined);
  if (there === undefined) await mkdir(requested, { recursive: true, mode: 0o750 });
  const [real, realRoot] = await Promise.all([realpath(requested), realpath(root)]);
  if (real !== realRoot && !real.startsWith(`${realRoot}/`))
    throw new Unmet(`subPath "${subPath}" leads out of its volume`);
  return real;
}

async function mountOf(stateDir: string, pod: Pod, m: VolumeMount, env: ReadonlyMap<string, string>): Promise<Mount> {
  const volume = pod.spec.volumes?.find((v) => v.name === m.name);
  const root = volume && volumePath(stateDir, pod.metadata.uid, volume);
  if (volume === undefined || root === undefined) throw new Unmet(`volume "${m.name}" is not there to be mounted`);
  const subPath = subPathOf(m, env);
  const propagation = propagations[m.mountPropagation ?? ""];
  const fromApi = volume.configMap ?? volume.secret ?? volume.downwardAPI ?? volume.projected;
  return {
    source: subPath ? await inside(root, subPath) : root,
    target: m.mountPath.startsWith("/") ? m.mountPath : `/${m.mountPath}`,
    readOnly: (m.readOnly ?? false) || fromApi !== undefined,
    ...(propagation && { propagation }),
  };
}

/** The mounts of the container's spec, in order. */
export const containerMounts = (
  stateDir: string,
  pod: Pod,
  c: Container,
  env: ReadonlyMap<string, string>,
): Promise<readonly Mount[]> => Promise.all((c.volumeMounts ?? []).map((m) => mountOf(stateDir, pod, m, env)));
