// The mounts of a container, with their sub-paths resolved, and its block devices.
import type { Container, Pod, Volume, VolumeDevice, VolumeMount } from "../../api/generated/types.ts";
import { expand, variablesIn } from "../podspec/environment.ts";
import { isRecursivelyReadOnly } from "../podspec/containers.ts";
import { Unmet, type VolumeLookup } from "../podspec/references.ts";
import type { Device, Mount } from "../runtime.ts";
import { claimed } from "./claims.ts";
import { recordOf } from "./csi/calls.ts";
import { targetOf } from "./csi/records.ts";
import { csiVolumeOf } from "./csi/volume.ts";
import { localPath } from "./local-devices.ts";
import { volumePath } from "./paths.ts";
import { withSubPath } from "./sub-path.ts";
import type { SubPathMounts } from "./sub-path-mounts.ts";

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

/** Where the volumes of the node are, and the objects behind them. */
interface Volumes {
  readonly stateDir: string;
  readonly lookup: VolumeLookup;
  readonly subPaths: SubPathMounts;
  /** Whether the engine makes mounts recursively read-only. */
  readonly recursiveReadOnlyMounts: boolean;
}

/** Where a volume is on the node, and whether containers may only read it. */
interface Place {
  readonly path: string;
  readonly readOnly: boolean;
}

/** Volumes whose content is not the pod's own. */
const isReadOnly = (v: Volume): boolean =>
  (v.configMap ?? v.secret ?? v.downwardAPI ?? v.projected ?? v.image) !== undefined;

/** The place of a volume; undefined for an unsupported type. Throws `Unmet` until its claim is bound. */
function placeOf({ stateDir, lookup }: Volumes, pod: Pod, v: Volume): Place | undefined {
  const { uid } = pod.metadata;
  const behind = claimed(pod, v, lookup);
  const csi = csiVolumeOf(pod, v, behind);
  if (csi) return { path: targetOf(stateDir, uid, recordOf(csi)), readOnly: csi.readOnly };
  const { hostPath, local } = behind?.pv.spec ?? {};
  const path = behind
    ? (hostPath?.path ?? (local && localPath(stateDir, uid, behind.pv)))
    : volumePath(stateDir, uid, v);
  return path === undefined ? undefined : { path, readOnly: behind?.readOnly ?? isReadOnly(v) };
}

function placeNamed(at: Volumes, pod: Pod, name: string): Place | undefined {
  const volume = pod.spec.volumes?.find((v) => v.name === name);
  return volume && placeOf(at, pod, volume);
}

interface Subject {
  readonly pod: Pod;
  readonly container: string;
  readonly env: ReadonlyMap<string, string>;
}
interface SubPath {
  readonly volume: string;
  /** Where the volume is. */
  readonly path: string;
  readonly subPath: string;
  /** The index of the mount in its container. */
  readonly index: number;
}

/** Mounts the sub-path of a volume; resolves with where it is. */
function sourceOf(
  at: Volumes,
  { pod, container }: Subject,
  { path, subPath, volume, index }: SubPath,
): Promise<string> {
  const mount = { podUid: pod.metadata.uid, volume, container, index };
  const what = `volumeMount "${volume}" of container "${container}"`;
  return withSubPath(path, subPath, what, (opened) => at.subPaths.mount(opened, mount));
}

async function mountOf(at: Volumes, subject: Subject, m: VolumeMount, index: number): Promise<Mount> {
  const place = placeNamed(at, subject.pod, m.name);
  if (place === undefined) throw new Unmet(`volume "${m.name}" is not there to be mounted`);
  const subPath = subPathOf(m, subject.env);
  const recursiveReadOnly = isRecursivelyReadOnly(m, at.recursiveReadOnlyMounts);
  if (recursiveReadOnly === undefined)
    throw new Unmet(
      "failed to resolve recursive read-only mode: " +
        `volume "${m.name}" requested recursive read-only mode, but it is not supported by the runtime`,
    );
  const propagation = propagations[m.mountPropagation ?? ""];
  const { path } = place;
  return {
    source: subPath ? await sourceOf(at, subject, { path, subPath, volume: m.name, index }) : path,
    target: m.mountPath.startsWith("/") ? m.mountPath : `/${m.mountPath}`,
    readOnly: (m.readOnly ?? false) || place.readOnly,
    ...(recursiveReadOnly && { recursiveReadOnly }),
    ...(propagation && { propagation }),
  };
}

/** The mounts of the container's spec, in order. */
export const containerMounts = (
  at: Volumes,
  pod: Pod,
  c: Container,
  env: ReadonlyMap<string, string>,
): Promise<readonly Mount[]> =>
  Promise.all((c.volumeMounts ?? []).map((m, index) => mountOf(at, { pod, container: c.name, env }, m, index)));

function deviceOf(at: Volumes, pod: Pod, container: string, { name, devicePath }: VolumeDevice): Device {
  const place = placeNamed(at, pod, name);
  if (place === undefined) throw new Unmet(`cannot find volume "${name}" to pass into container "${container}"`);
  return { source: place.path, target: devicePath, readOnly: place.readOnly };
}

/** The block devices of the container's spec, in order. */
export const containerDevices = (at: Volumes, pod: Pod, c: Container): readonly Device[] =>
  (c.volumeDevices ?? []).map((d) => deviceOf(at, pod, c.name, d));
