// What an attacher does about a VolumeAttachment: the driver attaches the volume to the node, or detaches it. Pure, but
// for the calls that it returns. Source: the documentation of external-attacher.
import type { CSINode, PersistentVolume, VolumeAttachment } from "../../api/generated/types.ts";
import { type Instant, timestamp } from "../../api/meta.ts";
import { volumeAttachments } from "../../api/storage/csi.ts";
import { csiCapability } from "../../csi/protocol/capabilities.ts";
import { type Action, statusTo } from "../../machinery/action.ts";
import { type Decision, settled } from "../../machinery/controller.ts";
import { callOf, type DriverOptions } from "./sidecar.ts";

export interface ObservedAttachment {
  readonly attachment: VolumeAttachment;
  readonly volume: PersistentVolume | undefined;
  readonly node: CSINode | undefined;
}

/** A finalizer of attachments: the object stays until the driver has detached the volume. */
const attacherFinalizer = ({ driver }: DriverOptions): string =>
  `external-attacher/${driver.replaceAll(/[^\dA-Za-z-]/g, "-")}`;

/** On attachments: how the driver calls the node, for when the node is gone. */
const nodeIdAnnotation = "csi.alpha.kubernetes.io/node-id";
/** On attachments: how the driver calls the volume, for when its object is gone. */
const volumeHandleAnnotation = "orrery.dev/volume-handle";

type Metadata = Partial<Pick<VolumeAttachment["metadata"], "annotations" | "finalizers">>;
const updated = (attachment: VolumeAttachment, metadata: Metadata): Action => ({
  do: "patch",
  resource: volumeAttachments,
  object: attachment,
  patch: { type: "merge", patch: { metadata: { resourceVersion: attachment.metadata.resourceVersion, ...metadata } } },
});

/** Reports an error in the attachment's status. */
function failed(attachment: VolumeAttachment, which: "attachError" | "detachError", message: string, now: Instant) {
  const status = { attached: false, ...attachment.status, [which]: { message, time: timestamp(now) } };
  const actions = statusTo<VolumeAttachment>(volumeAttachments, attachment, status);
  return { actions, failure: message };
}

function detach(
  {
    attachment,
    volume,
    node,
  }: { readonly attachment: VolumeAttachment; readonly volume: string; readonly node: string },
  options: DriverOptions,
  now: Instant,
): Decision {
  const { finalizers = [] } = attachment.metadata;
  const rest = finalizers.filter((f) => f !== attacherFinalizer(options));
  if (rest.length === finalizers.length) return settled;
  return {
    actions: [],
    because: ["the volume is no longer needed on the node"],
    effect: callOf(
      "ControllerUnpublishVolume",
      () => options.calls.ControllerUnpublishVolume({ volumeId: volume, nodeId: node }),
      {
        succeeded: () => ({ actions: [updated(attachment, { finalizers: rest })] }),
        failed: ({ message }) => failed(attachment, "detachError", message, now),
      },
    ),
  };
}

function attach({ attachment, volume, node }: Ready, options: DriverOptions, now: Instant): Decision {
  const { finalizers = [], annotations } = attachment.metadata;
  const finalizer = attacherFinalizer(options);
  const { accessModes = [], volumeMode, mountOptions, csi } = volume.spec;
  const notes = { [nodeIdAnnotation]: node, [volumeHandleAnnotation]: csi!.volumeHandle };
  const isNoted = Object.entries(notes).every(([name, value]) => annotations?.[name] === value);
  if (!finalizers.includes(finalizer) || !isNoted) {
    const kept = new Set([...finalizers, finalizer]);
    const noted = updated(attachment, { annotations: notes, finalizers: [...kept] });
    return { actions: [noted], because: ["it is about to be attached"] };
  }
  const use = { accessMode: accessModes[0] ?? "ReadWriteOnce", volumeMode, fsType: csi!.fsType, mountOptions };
  const isMultiWriter = options.capabilities.has("SINGLE_NODE_MULTI_WRITER");
  const request = {
    volumeId: csi!.volumeHandle,
    nodeId: node,
    volumeCapability: csiCapability(use, isMultiWriter),
    readonly: csi!.readOnly ?? false,
    volumeContext: csi!.volumeAttributes ?? {},
  };
  return {
    actions: [],
    because: ["the volume is needed on the node"],
    effect: callOf("ControllerPublishVolume", () => options.calls.ControllerPublishVolume(request), {
      succeeded: ({ publishContext }) => ({
        actions: statusTo<VolumeAttachment>(volumeAttachments, attachment, {
          attached: true,
          ...(Object.keys(publishContext).length > 0 && { attachmentMetadata: publishContext }),
        }),
      }),
      failed: ({ message }) => failed(attachment, "attachError", message, now),
    }),
  };
}

/** An attachment whose volume and node are known to the driver. */
interface Ready {
  readonly attachment: VolumeAttachment;
  readonly volume: PersistentVolume;
  /** The node's name for the driver. */
  readonly node: string;
}

/** The next step for an attachment. */
export function decideAttachment(observed: ObservedAttachment, options: DriverOptions, now: Instant): Decision {
  const { attachment, volume } = observed;
  const { driver, capabilities } = options;
  const { metadata, spec, status } = attachment;
  if (spec.attacher !== driver) return settled;
  const isDeleted = metadata.deletionTimestamp !== undefined;
  if (!isDeleted && status?.attached) return settled;
  // A driver that does not attach anything has nothing to do.
  if (!capabilities.has("PUBLISH_UNPUBLISH_VOLUME"))
    return isDeleted
      ? settled
      : { actions: statusTo<VolumeAttachment>(volumeAttachments, attachment, { attached: true }) };
  const registered = observed.node?.spec.drivers.find(({ name }) => name === driver)?.nodeID;
  // The driver of a node that is gone is not registered any more; detaching must not wait for it.
  const node = registered ?? (isDeleted ? (metadata.annotations?.[nodeIdAnnotation] ?? spec.nodeName) : undefined);
  const which = isDeleted ? "detachError" : "attachError";
  const handle = volume?.spec.csi?.volumeHandle ?? metadata.annotations?.[volumeHandleAnnotation];
  if (handle === undefined || (volume?.spec.csi === undefined && !isDeleted))
    return failed(attachment, which, `persistentvolume "${spec.source.persistentVolumeName}" not found`, now);
  if (node === undefined)
    return failed(attachment, which, `CSINode ${spec.nodeName} does not contain driver ${driver}`, now);
  return isDeleted
    ? detach({ attachment, volume: handle, node }, options, now)
    : attach({ attachment, volume: volume!, node }, options, now);
}
