// Mirror pods: a kubelet shows the pods of its files in the API by them.
import type { DraftMeta } from "../../meta.ts";

export const mirrorAnnotation = "kubernetes.io/config.mirror";

/** Whether the object stands for a static pod of a node. */
export const isMirrorPod = ({ metadata }: { readonly metadata: Pick<DraftMeta, "annotations"> }): boolean =>
  metadata.annotations?.[mirrorAnnotation] !== undefined;
