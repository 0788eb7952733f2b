// A CSI driver without volumes: what its Controller service has made is kept in memory.
import type { ControllerCapability } from "../../csi/protocol/controller.ts";
import { RpcError } from "../../csi/protocol/grpc.ts";
import type { DriverCalls } from "../../controllers/csi/sidecar.ts";

type Source =
  | { readonly volume: { readonly volumeId: string } }
  | { readonly snapshot: { readonly snapshotId: string } };
interface MemoryVolume {
  readonly name: string;
  readonly bytes: number;
  readonly source: Source | undefined;
  /** Nodes to which the volume is attached. */
  readonly nodes: readonly string[];
}
interface MemorySnapshot {
  readonly volumeId: string;
  readonly bytes: number;
}
export interface MemoryDriver {
  readonly calls: DriverCalls;
  /** Volumes by their ids. */
  readonly volumes: ReadonlyMap<string, MemoryVolume>;
  /** Snapshots by their ids. */
  readonly snapshots: ReadonlyMap<string, MemorySnapshot>;
  /** Bytes that all volumes can have together. */
  capacity: number;
}
export interface MemoryDriverOptions {
  readonly segments?: Readonly<Record<string, string>>;
  readonly nodeExpansionRequired?: boolean;
  /** Beside creation, deletion and expansion. */
  readonly capabilities?: readonly ControllerCapability[];
  /** A volume is attached to any number of nodes; otherwise to one at a time. */
  readonly attachesToMany?: true;
  /** Called before a call has its effect. */
  readonly called?: (
    method: string,
    request: { readonly volumeId?: string; readonly snapshotId?: string },
  ) => Promise<void>;
}

type Handlers = { readonly [K in keyof DriverCalls]?: (request: Parameters<DriverCalls[K]>[0]) => object };

interface State extends MemoryDriverOptions {
  readonly capabilities: readonly ControllerCapability[];
  readonly volumes: Map<string, MemoryVolume>;
  readonly snapshots: Map<string, MemorySnapshot>;
  capacity: number;
}

function requireVolume({ volumes }: State, id: string | undefined): MemoryVolume {
  const found = volumes.get(id ?? "");
  if (!found) throw new RpcError("NOT_FOUND", `volume ${id} does not exist`);
  return found;
}
const usedIn = ({ volumes }: State): number => [...volumes.values()].reduce((sum, v) => sum + v.bytes, 0);
function requireRoom(state: State, bytes: number, code: "OUT_OF_RANGE" | "RESOURCE_EXHAUSTED"): void {
  if (usedIn(state) + bytes > state.capacity) throw new RpcError(code, `${bytes} bytes are not free`);
}
const message = ({ segments }: State, volumeId: string, { bytes, source }: MemoryVolume): object => ({
  volumeId,
  capacityBytes: bytes,
  volumeContext: {},
  contentSource: source ?? null,
  accessibleTopology: segments ? [{ segments }] : [],
});

/** What a new volume is a copy of. */
function sourceIn(state: State, { volume, snapshot }: { readonly volume?: unknown; readonly snapshot?: unknown }) {
  const { volumeId } = (volume ?? {}) as { readonly volumeId?: string };
  const { snapshotId } = (snapshot ?? {}) as { readonly snapshotId?: string };
  if (volumeId !== undefined) requireVolume(state, volumeId);
  if (snapshotId !== undefined && !state.snapshots.has(snapshotId))
    throw new RpcError("NOT_FOUND", `snapshot ${snapshotId} does not exist`);
  if (snapshotId !== undefined) return { snapshot: { snapshotId } };
  return volumeId === undefined ? undefined : { volume: { volumeId } };
}

/** Volumes are made, deleted, listed and grown. */
function volumeHandlers(state: State): Handlers {
  const { volumes } = state;
  return {
    CreateVolume({ name = "", capacityRange, volumeContentSource }) {
      const id = `id-of-${name}`;
      const source = sourceIn(state, volumeContentSource ?? {});
      const bytes = capacityRange?.requiredBytes ?? 0;
      const existing = volumes.get(id);
      if (existing && (existing.bytes < bytes || JSON.stringify(existing.source) !== JSON.stringify(source)))
        throw new RpcError("ALREADY_EXISTS", `${name} has another size or source`);
      if (!existing) requireRoom(state, bytes, "RESOURCE_EXHAUSTED");
      const volume = existing ?? { name, bytes, source, nodes: [] };
      volumes.set(id, volume);
      return { volume: message(state, id, volume) };
    },
    DeleteVolume({ volumeId = "" }) {
      if (volumes.get(volumeId)?.nodes.length) throw new RpcError("FAILED_PRECONDITION", `${volumeId} is attached`);
      volumes.delete(volumeId);
      return {};
    },
    ControllerGetCapabilities: () => ({ capabilities: state.capabilities.map((type) => ({ rpc: { type } })) }),
    GetCapacity: () => ({
      availableCapacity: Math.max(0, Math.min(state.capacity - usedIn(state), 2 ** 50)),
      maximumVolumeSize: null,
    }),
    ListVolumes: () => ({ entries: [...volumes].map(([id, volume]) => ({ volume: message(state, id, volume) })) }),
    ControllerExpandVolume({ volumeId = "", capacityRange }) {
      const volume = requireVolume(state, volumeId);
      const bytes = Math.max(volume.bytes, capacityRange?.requiredBytes ?? 0);
      requireRoom(state, bytes - volume.bytes, "OUT_OF_RANGE");
      volumes.set(volumeId, { ...volume, bytes });
      return { capacityBytes: bytes, nodeExpansionRequired: state.nodeExpansionRequired ?? false };
    },
  };
}

function attachHandlers(state: State): Handlers {
  const { volumes } = state;
  return {
    ControllerPublishVolume({ volumeId = "", nodeId = "" }) {
      const volume = requireVolume(state, volumeId);
      const others = volume.nodes.filter((node) => node !== nodeId);
      if (others.length > 0 && !state.attachesToMany)
        throw new RpcError("FAILED_PRECONDITION", `${volumeId} is attached to another node`);
      volumes.set(volumeId, { ...volume, nodes: [...others, nodeId] });
      return { publishContext: { device: `/dev/${volumeId}` } };
    },
    ControllerUnpublishVolume({ volumeId = "", nodeId = "" }) {
      const volume = volumes.get(volumeId);
      if (volume) volumes.set(volumeId, { ...volume, nodes: volume.nodes.filter((node) => node !== nodeId) });
      return {};
    },
  };
}

/** Snapshots are made, deleted and listed. */
function snapshotHandlers(state: State): Handlers {
  const { snapshots } = state;
  const shown = (snapshotId: string) => {
    const { volumeId, bytes } = snapshots.get(snapshotId)!;
    const creationTime = { seconds: 1, nanos: 0 };
    return { snapshotId, sourceVolumeId: volumeId, sizeBytes: bytes, readyToUse: true, creationTime };
  };
  return {
    CreateSnapshot({ name = "", sourceVolumeId = "" }) {
      const id = `snapshot-of-${name}`;
      const existing = snapshots.get(id);
      if (existing && existing.volumeId !== sourceVolumeId)
        throw new RpcError("ALREADY_EXISTS", `${name} is another's`);
      if (!existing) snapshots.set(id, { volumeId: sourceVolumeId, bytes: requireVolume(state, sourceVolumeId).bytes });
      return { snapshot: shown(id) };
    },
    DeleteSnapshot({ snapshotId = "" }) {
      snapshots.delete(snapshotId);
      return {};
    },
    ListSnapshots: ({ snapshotId = "" }) => ({
      entries: [...snapshots.keys()]
        .filter((id) => snapshotId === "" || id === snapshotId)
        .map((id) => ({ snapshot: shown(id) })),
    }),
  };
}

export function memoryDriver(options: MemoryDriverOptions = {}): MemoryDriver {
  const state: State = {
    ...options,
    capabilities: ["CREATE_DELETE_VOLUME", "EXPAND_VOLUME", ...(options.capabilities ?? [])],
    ...{ volumes: new Map(), snapshots: new Map() },
    capacity: Infinity,
  };
  const handlers: Handlers = { ...volumeHandlers(state), ...snapshotHandlers(state), ...attachHandlers(state) };
  const calls = new Proxy({} as DriverCalls, {
    get: (_, method: keyof DriverCalls) => async (request: never) => {
      const handler = handlers[method] as ((request: never) => object) | undefined;
      await options.called?.(method, request);
      if (!handler) throw new RpcError("UNIMPLEMENTED", `${method} is not implemented`);
      return handler(request);
    },
  });
  return Object.assign(state, { calls });
}
