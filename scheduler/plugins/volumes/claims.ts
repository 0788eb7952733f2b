// What the volume plugins have in common: the claims of a pod, and the changes of claims, volumes and nodes that may
// help a pod which one of them rejected.
import { claimNamesOf } from "../../../api/core/pod/claims.ts";
import type { PersistentVolumeClaim, Pod } from "../../../api/generated/types.ts";
import { type Key, key } from "../../../api/meta.ts";
import type { Change, QueueingHint } from "../../framework.ts";
import type { PodInfo } from "../../node-info.ts";

export const claimKeysOf = ({ pod, claimNames }: PodInfo): readonly Key[] =>
  claimNames.map((name) => key(pod.metadata.namespace, name));

/** Whether the changed claim is one of the pod's. */
export const isClaimOf = (pod: Pod, { after }: Change<PersistentVolumeClaim>): boolean =>
  after !== undefined &&
  after.metadata.namespace === pod.metadata.namespace &&
  claimNamesOf(pod).includes(after.metadata.name);

export const ownClaims: QueueingHint<PersistentVolumeClaim> = {
  resource: "PersistentVolumeClaim",
  actions: ["Add", "Update"],
  isSchedulableAfter: isClaimOf,
};
export const nodeLabels: QueueingHint = { resource: "Node", actions: ["Add", "UpdateNodeLabel"] };
