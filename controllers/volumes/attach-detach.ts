// Attach/detach: keeps VolumeAttachments for the volumes that the pods of a node use.
import { nodes } from "../../api/core/nodes.ts";
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../api/core/persistentvolumes.ts";
import { claimNamesOf } from "../../api/core/pod/claims.ts";
import { isTerminal } from "../../api/core/pod/status.ts";
import { pods } from "../../api/core/pods.ts";
import type { Node, PersistentVolume, Pod, VolumeAttachment } from "../../api/generated/types.ts";
import { type Instant, type Key, key, keyOf } from "../../api/meta.ts";
import { csiDrivers, volumeAttachments } from "../../api/storage/csi.ts";
import { attachmentName } from "../../csi/protocol/volume-names.ts";
import { type Controller, controller, type KeysOf, type Views, watch } from "../../machinery/controller.ts";
import {
  decideAttachments,
  isOwnAttachment,
  type NeededVolume,
  type ObservedAttachment,
  type ObservedNode,
} from "./attachments.ts";

const named = (name: string | undefined): Key => key(undefined, name ?? "");
const claimKeysOf = (pod: Pod): readonly Key[] => claimNamesOf(pod).map((name) => key(pod.metadata.namespace, name));
const nodeOf = (pod: Pod): readonly Key[] => (pod.spec.nodeName ? [named(pod.spec.nodeName)] : []);
/** Pods without claims are not looked at. */
const nodeOfUser = (pod: Pod): readonly Key[] => (claimNamesOf(pod).length > 0 ? nodeOf(pod) : []);
const volumeOf = ({ spec: { source } }: VolumeAttachment): readonly Key[] =>
  source.persistentVolumeName === undefined ? [] : [named(source.persistentVolumeName)];

/** Pods that use a claim. */
const usersOf = (views: Views, claim: Key): readonly Pod[] =>
  views
    .of(pods)
    .byIndex("claim", claim)
    .filter((pod) => !isTerminal(pod));

const nodesOfVolume = (views: Views, volume: PersistentVolume | undefined): readonly Key[] => {
  const { claimRef } = volume?.spec ?? {};
  return claimRef?.name === undefined ? [] : usersOf(views, key(claimRef.namespace, claimRef.name)).flatMap(nodeOf);
};

/** A change of an attachment concerns its node, and those that wait for the volume. */
const nodesOfAttachment: KeysOf<VolumeAttachment> = (attachment, { views }) => {
  const [name] = volumeOf(attachment);
  const volume = name === undefined ? undefined : views.of(persistentVolumes).get(name);
  return [named(attachment.spec.nodeName), ...nodesOfVolume(views, volume)];
};

/** The volume of a claim, if it is bound and its driver attaches. Without CSIDriver a driver is assumed to. */
function attachedVolume(views: Views, claim: Key): PersistentVolume | undefined {
  const { metadata, spec } = views.of(persistentVolumeClaims).get(claim) ?? {};
  const volume = views.of(persistentVolumes).get(named(spec?.volumeName));
  if (volume?.spec.csi === undefined || volume.spec.claimRef?.uid !== metadata?.uid) return undefined;
  const driver = views.of(csiDrivers).get(named(volume.spec.csi.driver));
  return driver?.spec.attachRequired === false ? undefined : volume;
}

function neededOn(views: Views, name: Key): readonly NeededVolume[] {
  const users = views
    .of(pods)
    .byIndex("user", name)
    .filter((pod) => !isTerminal(pod));
  return [...new Set(users.flatMap(claimKeysOf))].flatMap((claim) => {
    const volume = attachedVolume(views, claim);
    if (volume === undefined) return [];
    const all = usersOf(views, claim);
    const attachments = views.of(volumeAttachments).byIndex("volume", volume.metadata.name);
    return {
      volume,
      pods: all.filter(({ spec }) => spec.nodeName === name),
      otherPods: all.filter(({ spec }) => spec.nodeName && spec.nodeName !== name),
      elsewhere: attachments.filter(({ spec }) => spec.nodeName !== name),
    };
  });
}

interface Memory {
  /** Since when no pod is seen to need an attachment. */
  readonly unneeded: Map<string, Instant>;
  /** Attachments that were to be deleted. */
  readonly begun: Set<string>;
  /** Nodes as they were last seen. */
  readonly lastNodes: Map<Key, Node>;
}

function observeAttachment({ unneeded }: Memory, views: Views, needed: ReadonlySet<string>, now: Instant) {
  return (attachment: VolumeAttachment): ObservedAttachment => {
    const { name } = attachment.metadata;
    const [volumeName] = volumeOf(attachment);
    const volume = volumeName && views.of(persistentVolumes).get(volumeName);
    if (needed.has(name)) unneeded.delete(name);
    else if (!unneeded.has(name)) unneeded.set(name, now);
    return [attachment, volume || undefined, unneeded.get(name)];
  };
}

/** As in Kubernetes, a process that begins counts anew for how long no pod has needed an attachment. */
export function attachDetachController(): Controller<ObservedNode> {
  const memory: Memory = { unneeded: new Map(), begun: new Set(), lastNodes: new Map() };
  const { unneeded, begun, lastNodes } = memory;
  /** A node matters only for what is attached to it. */
  const ofNode: KeysOf<Node> = (node, { views, type }) => {
    const k = keyOf(node);
    const isAttachedTo = views.of(volumeAttachments).countByIndex("node", node.metadata.name) > 0;
    if (isAttachedTo) lastNodes.set(k, node);
    else lastNodes.delete(k);
    return isAttachedTo || (type !== "deleted" && node.status?.volumesAttached) ? [k] : [];
  };
  const ofAttachment: KeysOf<VolumeAttachment> = (attachment, change) => {
    if (change.type === "deleted") {
      const { views } = change;
      const { nodeName } = attachment.spec;
      unneeded.delete(attachment.metadata.name);
      begun.delete(attachment.metadata.name);
      if (views.of(volumeAttachments).countByIndex("node", nodeName) === 0) lastNodes.delete(named(nodeName));
    }
    return nodesOfAttachment(attachment, change);
  };
  return controller({
    name: "attachdetach",
    reconciles: nodes,
    // Two nodes that need the same volume must not both get it.
    serial: true,
    keysOf: ofNode,
    watches: [
      watch(pods, nodeOfUser, { claim: claimKeysOf, user: nodeOfUser }),
      watch(persistentVolumeClaims, (claim, { views }) => usersOf(views, keyOf(claim)).flatMap(nodeOf)),
      watch(persistentVolumes, (volume, { views }) => nodesOfVolume(views, volume)),
      watch(volumeAttachments, ofAttachment, {
        volume: volumeOf,
        node: (attachment: VolumeAttachment) => (isOwnAttachment(attachment) ? [attachment.spec.nodeName] : []),
      }),
      watch(csiDrivers, (_, { views }) => views.of(nodes).all().map(keyOf)),
    ],
    writes: [
      { kind: nodes, subresource: "status", verbs: ["update"] },
      { kind: volumeAttachments, verbs: ["create", "delete"] },
    ],
    observe(views, name, now): ObservedNode {
      const attachments = views.of(volumeAttachments).byIndex("node", name);
      const node = views.of(nodes).get(name);
      const needed = neededOn(views, name);
      const neededNames = new Set(needed.map(({ volume }) => attachmentName(volume.spec.csi!, name)));
      return {
        ...{ name, node, needed, begun, lastNode: node ?? lastNodes.get(name) },
        attachments: attachments.map(observeAttachment(memory, views, neededNames, now)),
      };
    },
    decide(observed, now) {
      const decision = decideAttachments(observed, now);
      for (const action of decision.actions) if (action.do === "delete") begun.add(action.object.metadata.name);
      return decision;
    },
  });
}
