// When a node may lose a volume that is still mounted there, and what must be true of the sizes of volumes.
import { nodes } from "../../../api/core/nodes.ts";
import { persistentVolumeClaims } from "../../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../../api/core/persistentvolumes.ts";
import { claimNamesOf } from "../../../api/core/pod/claims.ts";
import { isTerminal } from "../../../api/core/pod/status.ts";
import { pods } from "../../../api/core/pods.ts";
import type {
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  VolumeAttachment,
} from "../../../api/generated/types.ts";
import { key, keyOf } from "../../../api/meta.ts";
import { unitsOf } from "../../../api/quantity.ts";
import { volumeAttachments } from "../../../api/storage/csi.ts";
import type { Rule } from "../judge.ts";
import type { StorageSystem } from "../storage-system.ts";
import { isOutOfService } from "./lost-nodes.ts";

/** As Kubernetes has it: a volume that no pod needs is taken from a node that is lost after this time. */
const unmountWaitMs = 360_000;
/** How much older a view may be, and how far two clocks may differ. */
const slackMs = 15_000;

const isWell = ({ status }: Node): boolean =>
  status?.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True") === true;

/** Notes which nodes may lose volumes that they have mounted: lost ones after a time, and those out of service. */
export function attachmentRules(storage: StorageSystem): readonly Rule[] {
  /** Until when a node was lost, and until when it was out of service. */
  const lostUntil = new Map<string, number>();
  const outUntil = new Map<string, number>();
  /** When a pod on a node last needed a claim, by `node claim`. */
  const neededUntil = new Map<string, number>();
  const states: Rule<Node> = {
    name: "",
    kind: nodes,
    broken(after, before, { at }) {
      const { name } = (after ?? before)!.metadata;
      if (!after || !isWell(after)) lostUntil.set(name, Infinity);
      else if (lostUntil.get(name) === Infinity) lostUntil.set(name, at);
      if (after && isOutOfService(after)) outUntil.set(name, Infinity);
      else if (outUntil.get(name) === Infinity) outUntil.set(name, at);
      return undefined;
    },
  };
  const users: Rule<Pod> = {
    name: "",
    kind: pods,
    broken(after, before, { at }) {
      const { metadata, spec } = (after ?? before)!;
      if (!spec.nodeName || (before && isTerminal(before))) return undefined;
      const until = !after || isTerminal(after) ? at : Infinity;
      for (const name of claimNamesOf((after ?? before)!))
        neededUntil.set(`${spec.nodeName} ${key(metadata.namespace, name)}`, until);
      return undefined;
    },
  };
  const detaching: Rule<VolumeAttachment> = {
    name: "",
    kind: volumeAttachments,
    broken(after, before, { at, all }) {
      if (!before || before.metadata.deletionTimestamp || (after && !after.metadata.deletionTimestamp))
        return undefined;
      const { nodeName, source } = before.spec;
      const volume = all(persistentVolumes).find(({ metadata }) => metadata.name === source.persistentVolumeName);
      const { csi, claimRef } = volume?.spec ?? {};
      const isRecent = (until: number | undefined): boolean => until !== undefined && at - until < slackMs;
      const needed = neededUntil.get(`${nodeName} ${key(claimRef?.namespace, claimRef?.name ?? "")}`) ?? -Infinity;
      const isGivenUp = isRecent(lostUntil.get(nodeName)) && at - needed > unmountWaitMs - slackMs;
      if (csi && (isGivenUp || isRecent(outUntil.get(nodeName)))) storage.giveUp(csi.volumeHandle, nodeName);
      return undefined;
    },
  };
  return [states, users, detaching];
}

const smaller = "resized smaller";
const bytesOf = (quantities: Readonly<Record<string, string>> | undefined): number => unitsOf(quantities?.["storage"]);
const shrunk = (name: string, after: number, before: number): string | undefined =>
  after < before ? `${name}: ${after} after ${before}` : undefined;

export function sizeRules(storage: StorageSystem): readonly Rule[] {
  const claim: Rule<PersistentVolumeClaim> = {
    name: smaller,
    kind: persistentVolumeClaims,
    broken: (after, before) =>
      after && before?.metadata.uid === after.metadata.uid
        ? shrunk(keyOf(after), bytesOf(after.status?.capacity), bytesOf(before.status?.capacity))
        : undefined,
  };
  const volume: Rule<PersistentVolume> = {
    name: smaller,
    kind: persistentVolumes,
    broken: (after, before) =>
      after && before
        ? shrunk(after.metadata.name, bytesOf(after.spec.capacity), bytesOf(before.spec.capacity))
        : undefined,
  };
  const promised: Rule<PersistentVolumeClaim> = {
    name: "claim larger than its volume",
    kind: persistentVolumeClaims,
    broken(after, _, { all }) {
      const named = after?.spec.volumeName && after.status?.phase === "Bound" ? after.spec.volumeName : undefined;
      const volume = named && all(persistentVolumes).find(({ metadata }) => metadata.name === named);
      const size = volume ? storage.sizeOf(volume) : undefined;
      const capacity = bytesOf(after?.status?.capacity);
      return size !== undefined && capacity > size ? `${after!.metadata.name}: ${capacity} of ${size}` : undefined;
    },
  };
  return [claim, volume, promised];
}
