// The objects that a pod's volumes and containers depend on, which the kubelet watches for it. Pure.
import type { Pod } from "../../api/generated/types.ts";
import { attachmentName } from "../../csi/protocol/volume-names.ts";
import { type Reference, referencesOf, type VolumeLookup } from "../podspec/references.ts";
import { volumeNamesOf } from "./claims.ts";
import type { CsiMounter } from "./csi/mounter.ts";
import { isAttached } from "./csi/volume.ts";

/** The node's part: which volumes are attached to it, and how their attachments are called. */
interface Attaching {
  readonly nodeName: string;
  readonly csi: Pick<CsiMounter, "policyOf">;
}

function ofVolume(name: string, lookup: VolumeLookup, { nodeName, csi }: Attaching): readonly Reference[] {
  const volume: Reference = { kind: "PersistentVolume", name };
  const source = lookup.persistentVolume(name)?.spec.csi;
  if (source === undefined) return [volume];
  if (!isAttached({ isInline: false }, csi.policyOf(source.driver))) return [volume];
  return [volume, { kind: "VolumeAttachment", name: attachmentName(source, nodeName) }];
}

/** Whether a driver wants the pod's volumes published again from time to time, to renew their content (KEP-2047). */
export const needsRepublishing = (pod: Pod, lookup: VolumeLookup, { csi }: Pick<Attaching, "csi">): boolean => {
  const inline = (pod.spec.volumes ?? []).flatMap((v) => v.csi?.driver ?? []);
  const claimed = volumeNamesOf(pod, lookup).flatMap((name) => lookup.persistentVolume(name)?.spec.csi?.driver ?? []);
  return [...inline, ...claimed].some((driver) => csi.policyOf(driver)?.requiresRepublish);
};

/** What the pod refers to, and what its claims lead to as far as `lookup` has it. */
export const heldFor = (pod: Pod, lookup: VolumeLookup, node: Attaching): readonly Reference[] => [
  ...referencesOf(pod),
  ...volumeNamesOf(pod, lookup).flatMap((name) => ofVolume(name, lookup, node)),
];
