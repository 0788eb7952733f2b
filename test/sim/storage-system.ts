// The storage behind the drivers of a simulated cluster: which volume exists, is attached to which nodes, is mounted
// there, and how large its file system is, whatever the API shows. What drivers and nodes do to it is judged here.
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../api/core/persistentvolumes.ts";
import type { PersistentVolume } from "../../api/generated/types.ts";
import type { DriverCalls } from "../../controllers/csi/sidecar.ts";
import { RpcError } from "../../csi/protocol/grpc.ts";
import { uniqueName } from "../../csi/protocol/volume-names.ts";
import type { CsiVolume } from "../../kubelet/volumes/csi/volume.ts";
import { serial } from "../../machinery/serial.ts";
import type { World } from "../../machinery/world.ts";
import type { MemoryDriver } from "../suites/memory-driver.ts";
import type { Judge } from "./judge.ts";

const attachedTwice = "volume attached to two nodes";
const mountedTwice = "volume mounted on two nodes";
const detachedMounted = "volume detached while mounted";
const notThere = "pod started without its volume";
const dataDeleted = "data of a kept volume deleted";
/** Names of the rules that are checked at the calls of drivers that do not attach, too. */
export const dataRules: readonly string[] = [notThere, dataDeleted];
export const attachRules: readonly string[] = [attachedTwice, mountedTwice, detachedMounted];

/** A driver's storage. */
export interface Backend {
  readonly driver: string;
  readonly memory: MemoryDriver;
  /** Set where the volumes belong to a node. */
  readonly node?: string;
  /** Volumes are attached to nodes. Calls take time then, fail at times, and their responses are lost at times. */
  readonly attaches?: { readonly isPeaceful: () => boolean };
}
type Mountable = Pick<CsiVolume, "driver" | "handle" | "accessModes">;
/** The volumes on one node. */
export interface NodeStorage {
  mount(volume: Mountable, podUid: string): void;
  unmount(podUid: string): void;
  /** Grows the file system of a volume; resolves when it has. */
  grow(volume: Mountable, bytes: number): Promise<void>;
  /** The unique names of attached volumes that are mounted. */
  mounted(): readonly string[];
  /** Nothing is mounted any more. */
  powerLost(): void;
}
export interface StorageSystem {
  /** The calls of the driver's Controller service, for a process that ends with the signal. */
  serve(backend: Backend, signal: AbortSignal): DriverCalls;
  onNode(nodeName: string): NodeStorage;
  /** From now on, a node that has this volume mounted may lose it: it is lost itself. */
  giveUp(handle: string, nodeName: string): void;
  /** How large a volume is for those that use it, in bytes; undefined for one of an unknown driver. */
  sizeOf(volume: PersistentVolume): number | undefined;
  /** Volumes that are lost, volumes that no object stands for, attachments that no volume of `attachments` has, and mounts without pods. */
  left(attachments: ReadonlySet<string>, podUids: ReadonlySet<string>): readonly string[];
}

/** How a driver calls a node. */
export const idOfNode = (nodeName: string): string => `id-of-${nodeName}`;
const handleOf = ({ spec }: PersistentVolume): string => spec.csi?.volumeHandle ?? "";
const mostCallMs = 400;
const failureRate = 0.03;

interface State {
  readonly world: World;
  readonly judge: () => Judge;
  /** Drivers by their names, and the names of their nodes. */
  readonly backends: Map<string, Backend>;
  /** Pods that have a volume mounted, by `handle node`. */
  readonly mounts: Map<string, Set<string>>;
  /** The drivers of attached volumes by their handles. */
  readonly attachable: Map<string, string>;
  /** `handle node` of what a node may lose although it is mounted. */
  readonly givenUp: Set<string>;
  /** Bytes of file systems by the handles of their volumes. */
  readonly fileSystems: Map<string, number>;
  readonly oneAtATime: ReturnType<typeof serial>;
}

const place = (handle: string, nodeName: string): string => `${handle} ${nodeName}`;
const backendOf = ({ backends }: State, driver: string, nodeName: string): Backend | undefined =>
  backends.get(driver) ?? backends.get(place(driver, nodeName));

/** The other nodes on which a volume is mounted, and which have not been given up. */
function mountedElsewhere({ mounts, givenUp }: State, handle: string, nodeName: string): readonly string[] {
  return [...mounts.keys()].filter(
    (at) => at.startsWith(`${handle} `) && at !== place(handle, nodeName) && !givenUp.has(at),
  );
}

/** The storage has something against these calls. */
const objections: {
  readonly [K in keyof DriverCalls]?: (state: State, backend: Backend, request: Parameters<DriverCalls[K]>[0]) => void;
} = {
  DeleteVolume({ judge }, _, { volumeId }) {
    const { accuse, committed } = judge();
    const volume = committed.all(persistentVolumes).find((v) => handleOf(v) === volumeId);
    const claim = committed.withUid(persistentVolumeClaims, volume?.spec.claimRef?.uid);
    const isBound = claim?.status?.phase === "Bound" && claim.spec.volumeName === volume?.metadata.name;
    if (volume && (isBound || volume.spec.persistentVolumeReclaimPolicy === "Retain"))
      accuse(dataDeleted, volume.metadata.name);
  },
  ControllerPublishVolume({ judge, givenUp }, { memory }, { volumeId = "", nodeId = "", volumeCapability }) {
    const others = (memory.volumes.get(volumeId)?.nodes ?? []).filter((other) => other !== nodeId);
    const isForOne = volumeCapability?.accessMode?.mode?.startsWith("SINGLE_NODE") === true;
    if (isForOne && others.length > 0) judge().accuse(attachedTwice, `${volumeId}: ${nodeId} beside ${others.join()}`);
    givenUp.delete(place(volumeId, nodeId.slice(idOfNode("").length)));
  },
  ControllerUnpublishVolume({ judge, mounts, givenUp }, _, { volumeId = "", nodeId = "" }) {
    const at = place(volumeId, nodeId.slice(idOfNode("").length));
    if (mounts.has(at) && !givenUp.has(at)) judge().accuse(detachedMounted, at);
  },
};

function serve(state: State, backend: Backend, signal: AbortSignal): DriverCalls {
  const { world, backends, oneAtATime } = state;
  const { driver, node, memory, attaches } = backend;
  backends.set(node === undefined ? driver : place(driver, node), backend);
  const isUnlucky = (): boolean => attaches?.isPeaceful() === false && world.random.next() < failureRate;
  const call = async (method: keyof DriverCalls, request: never): Promise<unknown> => {
    if (attaches) await world.clock.sleep(world.random.next() * mostCallMs);
    if (isUnlucky()) throw new RpcError("UNAVAILABLE", "the driver is away");
    objections[method]?.(state, backend, request);
    const response = await memory.calls[method](request);
    if (isUnlucky()) throw new RpcError("DEADLINE_EXCEEDED", "no response");
    return response;
  };
  return new Proxy({} as DriverCalls, {
    get: (_, method: keyof DriverCalls) => async (request: { readonly volumeId?: string; readonly name?: string }) => {
      if (signal.aborted) throw new RpcError("UNAVAILABLE", "this process is dead");
      // The calls of a process that was killed take effect before those of the next.
      return oneAtATime(request.volumeId ?? request.name ?? method, () => call(method, request as never));
    },
  });
}

function mount(state: State, nodeName: string, { driver, handle, accessModes }: Mountable, podUid: string): void {
  const { mounts, attachable, fileSystems, judge } = state;
  const backend = backendOf(state, driver, nodeName);
  const found = backend?.memory.volumes.get(handle);
  const isThere = found !== undefined && (!backend?.attaches || found.nodes.includes(idOfNode(nodeName)));
  if (!isThere) judge().accuse(notThere, `${handle} on ${nodeName}`);
  const others = mountedElsewhere(state, handle, nodeName);
  if (backend?.attaches && !accessModes.includes("ReadWriteMany") && others.length > 0)
    judge().accuse(mountedTwice, `${place(handle, nodeName)} beside ${others.join()}`);
  if (backend?.attaches) attachable.set(handle, driver);
  const at = place(handle, nodeName);
  mounts.set(at, (mounts.get(at) ?? new Set()).add(podUid));
  fileSystems.set(handle, fileSystems.get(handle) ?? found?.bytes ?? 0);
}

function onNode(state: State, nodeName: string): NodeStorage {
  const { mounts, attachable, fileSystems, world } = state;
  const here = (): readonly string[] => [...mounts.keys()].filter((at) => at.endsWith(` ${nodeName}`));
  return {
    mount: (volume, podUid) => mount(state, nodeName, volume, podUid),
    unmount(podUid) {
      for (const at of here()) if (mounts.get(at)!.delete(podUid) && mounts.get(at)!.size === 0) mounts.delete(at);
    },
    async grow({ driver, handle }, bytes) {
      await world.clock.sleep(world.random.next() * mostCallMs);
      const most = backendOf(state, driver, nodeName)?.memory.volumes.get(handle)?.bytes ?? 0;
      if (bytes > most) throw new RpcError("OUT_OF_RANGE", `${handle} has ${most} bytes`);
      fileSystems.set(handle, Math.max(bytes, fileSystems.get(handle) ?? 0));
    },
    mounted: () =>
      here().flatMap((at) => {
        const volumeHandle = at.slice(0, at.indexOf(" "));
        const driver = attachable.get(volumeHandle);
        return driver === undefined ? [] : [uniqueName({ driver, volumeHandle })];
      }),
    powerLost() {
      for (const at of here()) mounts.delete(at);
    },
  };
}

function left(
  { backends, judge, mounts }: State,
  attachments: ReadonlySet<string>,
  podUids: ReadonlySet<string>,
): readonly string[] {
  const objects = judge()
    .committed.all(persistentVolumes)
    .filter(({ spec }) => backends.has(spec.csi?.driver ?? ""));
  const handles = new Set(objects.map(handleOf));
  const volumes = [...backends.values()].flatMap(({ memory }) => [...memory.volumes]);
  const ids = new Set(volumes.map(([id]) => id));
  return [
    ...[...handles].flatMap((id) => (ids.has(id) ? [] : [`the driver's volume ${id} is lost`])),
    ...volumes.flatMap(([id]) => (handles.has(id) ? [] : [`the driver's volume ${id} is left`])),
    ...volumes.flatMap(([id, { nodes }]) => nodes.map((node) => `${id} ${node}`)).filter((at) => !attachments.has(at)),
    ...[...mounts].flatMap(([at, pods]) => ([...pods].every((uid) => podUids.has(uid)) ? [] : [`${at} is mounted`])),
  ];
}

export function storageSystem(world: World, judge: () => Judge): StorageSystem {
  const state: State = {
    ...{ world, judge, backends: new Map(), mounts: new Map(), attachable: new Map(), givenUp: new Set() },
    ...{ fileSystems: new Map(), oneAtATime: serial() },
  };
  return {
    serve: (backend, signal) => serve(state, backend, signal),
    onNode: (nodeName) => onNode(state, nodeName),
    giveUp: (handle, nodeName) => void state.givenUp.add(place(handle, nodeName)),
    sizeOf(volume) {
      const handle = handleOf(volume);
      const { memory } = backendOf(state, volume.spec.csi?.driver ?? "", "") ?? {};
      return memory && (state.fileSystems.get(handle) ?? memory.volumes.get(handle)?.bytes);
    },
    left: (attachments, podUids) => left(state, attachments, podUids),
  };
}
