// The volumes of the pods of a simulated node: what the kubelet does about them, with its own decisions, and mounts
// that are entries of the simulated storage.
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../api/core/persistentvolumes.ts";
import { claimNamesOf } from "../../api/core/pod/claims.ts";
import { ifFound } from "../../api/errors.ts";
import type { Node, PersistentVolume, Pod } from "../../api/generated/types.ts";
import { key } from "../../api/meta.ts";
import { csiDrivers, volumeAttachments } from "../../api/storage/csi.ts";
import { attachmentName, uniqueName } from "../../csi/protocol/volume-names.ts";
import { Unmet, type VolumeLookup } from "../../kubelet/podspec/references.ts";
import { type ClaimedVolume, claimed } from "../../kubelet/volumes/claims.ts";
import { expandVolume, needsExpansion } from "../../kubelet/volumes/csi/expansion.ts";
import { isAttachedTo, writeInUse } from "../../kubelet/volumes/csi/in-use.ts";
import { type CsiVolume, csiVolumeOf, type DriverPolicy } from "../../kubelet/volumes/csi/volume.ts";
import { VolumeFailure, VolumePending } from "../../kubelet/volumes/volume-failure.ts";
import { attachmentOf } from "../../kubelet/volumes/volumes.ts";
import type { Client } from "../../machinery/client.ts";
import { eventRecorder } from "../../machinery/events.ts";
import { serial } from "../../machinery/serial.ts";
import type { World } from "../../machinery/world.ts";
import type { NodeStorage } from "./storage-system.ts";

export interface NodeVolumes {
  /** Whether the pod's volumes are mounted. */
  has(pod: Pod): boolean;
  /** Mounts them. Resolves with false while they have to be waited for. */
  mount(pod: Pod): Promise<boolean>;
  unmount(pod: Pod): Promise<void>;
  /** Has the volumes grown that are to grow. */
  expand(): Promise<void>;
  /** Attached volumes that are mounted or about to be, by their unique names. */
  inUse(): readonly string[];
}
export interface NodeVolumePorts {
  readonly nodeName: string;
  readonly storage: NodeStorage;
  readonly client: Client;
  readonly world: World;
  readonly signal: AbortSignal;
}

interface Found {
  readonly behind: ClaimedVolume;
  readonly volume: CsiVolume;
  readonly isAttached: boolean;
}
const mostMountMs = 1_000;
const unmountMs = 100;

/** The objects that the pod's volumes depend on, as they are now. */
async function lookupFor({ client, nodeName }: NodeVolumePorts, pod: Pod) {
  const { namespace } = pod.metadata;
  const found = await Promise.all(
    claimNamesOf(pod).map((name) => ifFound(client.get(persistentVolumeClaims, key(namespace, name)))),
  );
  const named = found.flatMap((claim) => claim?.spec.volumeName || []);
  const volumes = (
    await Promise.all(named.map((name) => ifFound(client.get(persistentVolumes, key(undefined, name)))))
  ).flatMap((volume) => volume ?? []);
  const sources = volumes.flatMap(({ spec }: PersistentVolume) => spec.csi ?? []);
  const policies = await Promise.all(
    sources.map(({ driver }) => ifFound(client.get(csiDrivers, key(undefined, driver)))),
  );
  const policyOf = (driver: string): DriverPolicy => policies.find((p) => p?.metadata.name === driver)?.spec;
  const attached = sources.filter(({ driver }) => policyOf(driver)?.attachRequired !== false);
  const attachments = await Promise.all(
    attached.map((source) => ifFound(client.get(volumeAttachments, key(undefined, attachmentName(source, nodeName))))),
  );
  const lookup = {
    claim: (name: string) => found.find((claim) => claim?.metadata.name === name),
    persistentVolume: (name: string) => volumes.find(({ metadata }) => metadata.name === name),
    attachment: (name: string) => attachments.find((attachment) => attachment?.metadata.name === name),
  } as Partial<VolumeLookup> as VolumeLookup;
  return { lookup, policyOf };
}

/** The pod's volumes of drivers. Throws while one of them is not bound, or not attached. */
async function volumesOf(ports: NodeVolumePorts, pod: Pod): Promise<readonly Found[]> {
  const { lookup, policyOf } = await lookupFor(ports, pod);
  const sources = { lookup, csi: { policyOf }, nodeName: ports.nodeName };
  return (pod.spec.volumes ?? []).flatMap((v) => {
    const behind = claimed(pod, v, lookup);
    const volume = behind && csiVolumeOf(pod, v, behind);
    return volume ? [{ behind, volume, isAttached: attachmentOf(v, volume, sources) !== undefined }] : [];
  });
}

const nameOf = ({ driver, handle }: CsiVolume): string => uniqueName({ driver, volumeHandle: handle });

export function nodeVolumes(ports: NodeVolumePorts): NodeVolumes {
  const { nodeName, storage, client, world, signal } = ports;
  const mounted = new Map<string, Pod>();
  const awaited = new Map<string, readonly string[]>();
  const oneAtATime = serial();
  const events = eventRecorder(client, world, { component: "kubelet", host: nodeName });
  const inUse = (): readonly string[] =>
    [...new Set([...storage.mounted(), ...[...awaited.values()].flat()])].toSorted();
  const reporting = serial();
  const reportInUse = (): Promise<Node> => reporting("", () => writeInUse(client, nodeName, inUse()));
  const grow = async (pod: Pod, found: readonly Found[]): Promise<void> => {
    for (const { behind, volume } of found)
      if (needsExpansion(behind))
        await expandVolume({ client, events, world, nodeName }, pod, behind, (bytes) => storage.grow(volume, bytes));
  };
  const mount = async (pod: Pod): Promise<void> => {
    const { uid } = pod.metadata;
    const found = await volumesOf(ports, pod);
    const attached = found.filter(({ isAttached }) => isAttached).map(({ volume }) => nameOf(volume));
    if (attached.length > 0) {
      awaited.set(uid, attached);
      const node = await reportInUse();
      if (!attached.every((name) => isAttachedTo(node, name))) throw new VolumePending("not attached");
    }
    for (const { volume } of found) {
      await world.clock.sleep(world.random.next() * mostMountMs, signal);
      storage.mount(volume, uid);
    }
    mounted.set(uid, pod);
    await grow(pod, found).catch(() => {});
  };
  const unmount = async (uid: string): Promise<void> => {
    if (!mounted.has(uid) && !awaited.has(uid)) return;
    await world.clock.sleep(unmountMs, signal);
    storage.unmount(uid);
    mounted.delete(uid);
    // After a failure the next heartbeat reports it.
    if (awaited.delete(uid)) await reportInUse().catch(() => {});
  };
  const hasFailed = (e: unknown): false => {
    if (!(e instanceof VolumeFailure || e instanceof Unmet)) world.log("mount failed", { error: String(e) });
    return false;
  };
  return {
    inUse,
    has: ({ metadata }) => mounted.has(metadata.uid),
    mount: (pod) => oneAtATime(pod.metadata.uid, () => mount(pod)).then(() => true, hasFailed),
    unmount: ({ metadata }) => oneAtATime(metadata.uid, () => unmount(metadata.uid)),
    async expand() {
      for (const pod of [...mounted.values()].filter(({ metadata }) => awaited.has(metadata.uid)))
        await volumesOf(ports, pod)
          .then((found) => grow(pod, found))
          .catch(() => {});
    },
  };
}
