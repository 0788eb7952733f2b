// The claims of a pod's volumes: those it names, and those of its generic ephemeral volumes.
import type { Pod } from "../../generated/types.ts";

/** The name of the claim that belongs to a generic ephemeral volume of a pod. */
export const ephemeralClaimName = ({ metadata }: Pod, volumeName: string): string => `${metadata.name}-${volumeName}`;

/** The names of claims that a pod uses, in its namespace. */
export const claimNamesOf = (pod: Pod): readonly string[] =>
  (pod.spec.volumes ?? []).flatMap((v) => {
    if (v.persistentVolumeClaim) return [v.persistentVolumeClaim.claimName];
    return v.ephemeral ? [ephemeralClaimName(pod, v.name)] : [];
  });
