// The volumes of a pod on the node's disk: prepared, refreshed and removed.
import { type Stats, existsSync } from "node:fs";
import { mkdir, stat, writeFile, chmod, chown, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { HostPathVolumeSource, Pod, Volume } from "../../api/generated/types.ts";
import { Unmet, type VolumeLookup } from "../podspec/references.ts";
import { mountsBelow, mountTable } from "../../machinery/mount-table.ts";
import { runProgram } from "../../machinery/run-program.ts";
import { podMemoryLimit } from "../../api/core/pod/status.ts";
import { unitsOf } from "../../api/quantity.ts";
import { writeAtomically } from "./atomic-write.ts";
import { type ContentSources, contentOf } from "./content.ts";
import { attachmentName } from "../../csi/protocol/volume-names.ts";
import { type ClaimedVolume, claimed, hasClaims } from "./claims.ts";
import type { MountRequest } from "./csi/calls.ts";
import type { CsiMounter } from "./csi/mounter.ts";
import { type CsiVolume, csiVolumeOf, isAttached } from "./csi/volume.ts";
import type { LocalDevices } from "./local-devices.ts";
import { giveToGroup } from "./ownership.ts";
import { podFolder, volumePath } from "./paths.ts";
import { VolumeFailure, VolumePending } from "./volume-failure.ts";

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

const setUpFailure = (volume: string, e: unknown, step = "SetUp", action: "Mount" | "Map" = "Mount"): VolumeFailure =>
  new VolumeFailure(
    `${action}Volume.${step} failed for volume "${volume}" : ${e instanceof Error ? e.message : String(e)}`,
    action === "Map" ? "FailedMapVolume" : "FailedMount",
  );

/** The bytes of an emptyDir in memory: no more than its pod, or all pods of the node, may use. */
function memoryFor({ emptyDir }: Volume, { pod, facts }: ContentSources): number {
  const limits = [unitsOf(emptyDir?.sizeLimit), podMemoryLimit(pod.spec) ?? 0];
  return Math.min(unitsOf(facts.allocatable["memory"]), ...limits.filter((bytes) => bytes > 0));
}

async function emptyFolder(v: Volume, path: string, sources: ContentSources): Promise<void> {
  const { medium } = v.emptyDir!;
  const group = sources.pod.spec.securityContext?.fsGroup;
  const there = medium === "Memory" ? mountsBelow(await mountTable(), path).includes(path) : existsSync(path);
  // An existing one keeps what the containers did to it.
  if (there) return;
  await mkdir(path, { recursive: true });
  if (medium === "Memory")
    await runProgram("mount", ["-t", "tmpfs", "-o", `size=${memoryFor(v, sources)}`, "tmpfs", path]);
  // In memory, users may remove only their own files, as in every `tmpfs`.
  const mode = medium === "Memory" ? 0o1777 : 0o777;
  await chmod(path, group === undefined ? mode : mode | 0o2000);
  if (group !== undefined) await chown(path, 0, group);
}

/** What volumes are prepared from. */
export interface VolumeSources extends ContentSources {
  readonly lookup: VolumeLookup;
  readonly stateDir: string;
  readonly nodeName: string;
  readonly csi: CsiMounter;
  readonly localDevices: LocalDevices;
  /** Names the version of what is written. */
  readonly stamp: string;
}

const unable = "Unable to attach or mount volumes:";

function claimedNow(v: Volume, { pod, lookup }: VolumeSources): ClaimedVolume | undefined {
  try {
    return claimed(pod, v, lookup);
  } catch (e) {
    if (!(e instanceof Unmet)) throw e;
    const lists = `unmounted volumes=[${v.name}], unattached volumes=[], failed to process volumes=[${v.name}]`;
    throw new VolumeFailure(`${unable} ${lists}: ${e.message}`);
  }
}

/** The node to which a volume is to be attached, and what it knows. */
interface Attaching extends Pick<VolumeSources, "lookup" | "nodeName"> {
  readonly csi: Pick<CsiMounter, "policyOf">;
}

/** The attachment of the volume to this node, if its driver attaches. Throws `VolumePending` until it is attached. */
export function attachmentOf(v: Volume, volume: CsiVolume, sources: Attaching): MountRequest["attachment"] {
  const { csi, lookup, nodeName } = sources;
  if (!isAttached(volume, csi.policyOf(volume.driver))) return undefined;
  const name = attachmentName({ driver: volume.driver, volumeHandle: volume.handle }, nodeName);
  const { status, metadata } = lookup.attachment(name) ?? {};
  if (status?.attached && metadata?.deletionTimestamp === undefined)
    return { name, metadata: status.attachmentMetadata ?? {} };
  const lists = `unmounted volumes=[${v.name}], unattached volumes=[${v.name}], failed to process volumes=[]`;
  throw new VolumePending(`${unable} ${lists}: context deadline exceeded`);
}

/** Prepares a persistent volume that is a path of the node. */
async function prepareOnNode({ pv, readOnly }: ClaimedVolume, { pod, localDevices }: VolumeSources): Promise<void> {
  const { hostPath, local, volumeMode } = pv.spec;
  const isBlock = volumeMode === "Block";
  if (hostPath && !isBlock) return void (await prepareHostPath(hostPath));
  if (local === undefined) throw new Unmet("no volume plugin matched");
  const found = await stat(local.path).catch(() => undefined);
  if (found === undefined) throw new Unmet(`path "${local.path}" does not exist`);
  if (isBlock && !found.isBlockDevice()) throw new Unmet(`path "${local.path}" is not a block device`);
  if (isBlock) return;
  const path = found.isBlockDevice() ? await localDevices.mount(pod.metadata.uid, pv) : local.path;
  if (!found.isDirectory() && path === local.path) throw new Unmet("only directory and block device are supported");
  if (!readOnly) await giveToGroup(path, pod.spec.securityContext);
}

async function prepareClaimed(of: ClaimedVolume, sources: VolumeSources): Promise<void> {
  try {
    await prepareOnNode(of, sources);
  } catch (e) {
    const isBlock = of.pv.spec.volumeMode === "Block";
    const begins = of.pv.spec.local && e instanceof Unmet;
    const step = begins ? `New${isBlock ? "BlockVolumeMapper" : "Mounter"} initialization` : "SetUp";
    throw setUpFailure(of.pv.metadata.name, e, step, isBlock ? "Map" : "Mount");
  }
}

async function prepare(v: Volume, sources: VolumeSources): Promise<void> {
  const { pod, stateDir, stamp } = sources;
  const behind = claimedNow(v, sources);
  const volume = csiVolumeOf(pod, v, behind);
  if (volume) return sources.csi.mount({ pod, volume, behind, attachment: attachmentOf(v, volume, sources) });
  if (behind) return prepareClaimed(behind, sources);
  const path = volumePath(stateDir, pod.metadata.uid, v);
  const group = pod.spec.securityContext?.fsGroup;
  if (path === undefined)
    throw new Unmet(`no volume plugin matched: volume "${v.name}" is of a sort this node does not know`);
  if (v.hostPath) return void (await prepareHostPath(v.hostPath));
  if (v.emptyDir) return emptyFolder(v, path, sources);
  // Mounted with the images of the containers that use it.
  if (v.image) return void (await mkdir(path, { recursive: true, mode: 0o755 }));
  await mkdir(path, { recursive: true, mode: 0o755 });
  await writeAtomically(path, contentOf(v, sources)!, stamp, group);
}

/** Prepares or refreshes volumes of the pod, all at once. Throws the first `VolumeFailure` when all have ended. */
export function prepareVolumes(volumes: readonly Volume[], sources: VolumeSources): Promise<void> {
  return allEnded(
    volumes.map((v) =>
      prepare(v, sources).catch((e: unknown) => {
        throw e instanceof VolumeFailure ? e : setUpFailure(v.name, e);
      }),
    ),
  );
}

/** Resolves when all have, and rejects as the first that has, once all have ended. */
export async function allEnded(actions: readonly Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(actions);
  await Promise.all(actions);
}

/** Whether the pod's volumes depend on API objects, which may change. */
export const hasLiveContent = (pod: Pod): boolean =>
  hasClaims(pod) || (pod.spec.volumes ?? []).some((v) => v.configMap ?? v.secret ?? v.downwardAPI ?? v.projected);

/** Removes the pod's folder, after unmounting what is mounted in it, whose contents must not be deleted. */
export async function removePodFolder(stateDir: string, podUid: string): Promise<void> {
  const folder = podFolder(stateDir, podUid);
  for (const point of mountsBelow(await mountTable(), folder)) await runProgram("umount", [point]);
  await rm(folder, { recursive: true, force: true });
}
