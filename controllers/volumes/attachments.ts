// Which volumes are attached to a node: those that its pods use and whose driver attaches. A volume for one node is
// detached from another before. Pure. Sources: the documentation of CSI, KEP-2268 (non-graceful node shutdown).
import { nodes } from "../../api/core/nodes.ts";
import { conditionOf } from "../../api/core/pod/status.ts";
import type { AttachedVolume, Node, PersistentVolume, Pod, VolumeAttachment } from "../../api/generated/types.ts";
import type { Instant } from "../../api/meta.ts";
import { volumeAttachments } from "../../api/storage/csi.ts";
import { attachmentName, uniqueName } from "../../csi/protocol/volume-names.ts";
import { type Action, recordEvent, statusTo } from "../../machinery/action.ts";
import type { Decision } from "../../machinery/controller.ts";

/** A volume that pods of the node use. */
export interface NeededVolume {
  readonly volume: PersistentVolume;
  readonly pods: readonly Pod[];
  /** Attachments to other nodes. */
  readonly elsewhere: readonly VolumeAttachment[];
  /** Pods of other nodes that use it. */
  readonly otherPods: readonly Pod[];
}
export interface ObservedNode {
  readonly name: string;
  /** Undefined when the node is gone. */
  readonly node: Node | undefined;
  /** The node as it was last seen, also when it is gone; undefined when this process has not seen it. */
  readonly lastNode: Node | undefined;
  readonly needed: readonly NeededVolume[];
  /** Attachments to this node, with their volumes, and since when no pod is seen to need them. */
  readonly attachments: readonly ObservedAttachment[];
  /** Names of attachments that this process has decided to delete. The requests may still be under way. */
  readonly begun: ReadonlySet<string>;
}
export type ObservedAttachment = readonly [
  attachment: VolumeAttachment,
  volume: PersistentVolume | undefined,
  unneededSince?: Instant,
];

const outOfService = "node.kubernetes.io/out-of-service";
/** How long a volume that no pod needs stays attached to a node that is lost, because it may still be mounted. */
const unmountWaitMs = 360_000;

/** Whether an attachment is one of this controller's. Those that others have made are theirs to delete. */
export const isOwnAttachment = ({ metadata }: VolumeAttachment): boolean => /^csi-[0-9a-f]{64}$/.test(metadata.name);
const isShareable = ({ spec }: PersistentVolume): boolean =>
  (spec.accessModes ?? []).some((mode) => mode === "ReadWriteMany" || mode === "ReadOnlyMany");

const attach = (volume: PersistentVolume, nodeName: string): Action => ({
  do: "create",
  resource: volumeAttachments,
  draft: {
    kind: "VolumeAttachment",
    metadata: { name: attachmentName(volume.spec.csi!, nodeName) },
    spec: {
      attacher: volume.spec.csi!.driver,
      nodeName,
      source: { persistentVolumeName: volume.metadata.name },
    },
  },
});

/** Events of pods that wait for a volume which another node has. */
function inUse({ volume, pods, otherPods }: NeededVolume): readonly Action[] {
  const names = otherPods.map(({ metadata }) => metadata.name).toSorted();
  const why =
    names.length > 0
      ? `Volume is already used by pod(s) ${names.join(", ")}`
      : "Volume is already exclusively attached to one node and can't be attached to another";
  const message = `Multi-Attach error for volume "${volume.metadata.name}" ${why}`;
  return pods.map((pod) => recordEvent(pod, "Warning", "FailedAttachVolume", message));
}

/** How long to wait before a volume that no pod needs is detached, in milliseconds; 0 when it is not mounted. */
function untilDetached({ node, lastNode }: ObservedNode, attached: ObservedAttachment, now: Instant): number {
  const [, volume, unneededSince = now] = attached;
  if (volume?.spec.csi === undefined) return 0;
  // What is mounted on a node that was gone before this process began is not known.
  if (lastNode && !lastNode.status?.volumesInUse?.includes(uniqueName(volume.spec.csi))) return 0;
  if (node?.spec.taints?.some(({ key }) => key === outOfService)) return 0;
  if (node && conditionOf(node.status?.conditions, "Ready")?.status === "True") return Infinity;
  return Math.max(0, unneededSince + unmountWaitMs - now);
}

/** Results of attaching, as events of the pods that wait for it. */
function outcome({ volume, pods }: NeededVolume, attachment: VolumeAttachment, isReported: boolean): readonly Action[] {
  const { attached, attachError } = attachment.status ?? {};
  const { name } = volume.metadata;
  if (attached)
    return isReported
      ? []
      : pods.map((pod) =>
          recordEvent(pod, "Normal", "SuccessfulAttachVolume", `AttachVolume.Attach succeeded for volume "${name}" `),
        );
  if (attachError === undefined) return [];
  const message = `AttachVolume.Attach failed for volume "${name}" : ${attachError.message}`;
  return pods.map((pod) => recordEvent(pod, "Warning", "FailedAttachVolume", message));
}

/** The status of the node with these of the attached volumes. */
function reportAttached(node: Node, attached: readonly AttachedVolume[]): readonly Action[] {
  const { volumesAttached, ...status } = node.status ?? {};
  if (volumesAttached === undefined && attached.length === 0) return [];
  return statusTo<Node>(nodes, node, { ...status, ...(attached.length > 0 && { volumesAttached: attached }) });
}

/** What is attached to a node and detached from it next. */
export function decideAttachments(observed: ObservedNode, now: Instant): Decision {
  const { name, node, needed, attachments, begun } = observed;
  const neededNames = new Set(needed.map(({ volume }) => attachmentName(volume.spec.csi!, name)));
  const existing = new Map(attachments.map(([attachment]) => [attachment.metadata.name, attachment]));
  const isDeleted = ({ metadata }: VolumeAttachment): boolean => metadata.deletionTimestamp !== undefined;
  const reported = new Set((node?.status?.volumesAttached ?? []).map((v) => v.name));
  // The kubelet does not mount what is not reported, so a detach that was begun can be finished.
  const isBegun = ([a, v]: ObservedAttachment): boolean =>
    begun.has(a.metadata.name) && !(v?.spec.csi && reported.has(uniqueName(v.spec.csi)));
  const unneeded = attachments.filter(
    (attached) => !isDeleted(attached[0]) && (!neededNames.has(attached[0].metadata.name) || isBegun(attached)),
  );
  const waits = unneeded.map((attached) => (isBegun(attached) ? 0 : untilDetached(observed, attached, now)));
  const detached = unneeded.filter((_, i) => waits[i] === 0).map(([attachment]) => attachment);
  const kept = attachments.filter(([a]) => a.status?.attached && !isDeleted(a) && !detached.includes(a));
  const devices = kept.flatMap(([, v]) => (v?.spec.csi ? [{ name: uniqueName(v.spec.csi), devicePath: "" }] : []));
  const attaching = needed.flatMap((need): readonly Action[] => {
    const { volume, elsewhere } = need;
    const attachment = existing.get(attachmentName(volume.spec.csi!, name));
    if (attachment)
      return isDeleted(attachment) || detached.includes(attachment)
        ? []
        : outcome(need, attachment, reported.has(uniqueName(volume.spec.csi!)));
    if (node === undefined) return [];
    return elsewhere.length > 0 && !isShareable(volume) ? inUse(need) : [attach(volume, name)];
  });
  const wait = Math.min(...waits.filter((ms) => ms > 0));
  return {
    // The node's status comes first: a volume is never reported as attached while it is being detached.
    actions: [
      ...(node ? reportAttached(node, devices) : []),
      ...attaching,
      ...detached.map((object): Action => ({ do: "delete", resource: volumeAttachments, object })),
    ],
    because: detached.map((a) => `no pod uses ${a.spec.source.persistentVolumeName ?? a.metadata.name}`),
    ...(Number.isFinite(wait) && { requeueAfter: wait }),
  };
}
