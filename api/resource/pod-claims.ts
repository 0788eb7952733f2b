// Claims for devices of a pod: those it names, those made for it from templates, and which of them are reserved for it.
import type {
  Pod,
  PodResourceClaim,
  ResourceClaimConsumerReference,
  ResourceV1ResourceClaim as ResourceClaim,
} from "../generated/types.ts";
import { controllerOf, key, type Key, keyOf } from "../meta.ts";

/** While a claim is allocated: it must not go before its devices are given back. */
export const deleteProtection = "resource.kubernetes.io/delete-protection";
/** Of a claim that was made from a template: the entry of the pod that it was made for. */
export const podClaimAnnotation = "resource.kubernetes.io/pod-claim-name";

/** The claim of one entry. No claim was made on purpose, or none yet. */
type ClaimReference = { readonly name: string; readonly isGenerated: boolean } | "not needed" | "not created";

/** The claim that an entry of the pod refers to. */
export function claimReference({ status }: Pod, entry: PodResourceClaim): ClaimReference {
  if (entry.resourceClaimName !== undefined) return { name: entry.resourceClaimName, isGenerated: false };
  const made = status?.resourceClaimStatuses?.find(({ name }) => name === entry.name);
  if (!made) return "not created";
  return made.resourceClaimName === undefined ? "not needed" : { name: made.resourceClaimName, isGenerated: true };
}

const noKeys: readonly Key[] = [];
/** The claims that a pod uses and that exist as far as its status says. */
export function deviceClaimKeys(pod: Pod): readonly Key[] {
  const { spec, status, metadata } = pod;
  const extended = status?.extendedResourceClaimStatus?.resourceClaimName;
  if (!spec.resourceClaims && extended === undefined) return noKeys;
  const names = (spec.resourceClaims ?? []).flatMap((entry) => {
    const reference = claimReference(pod, entry);
    return typeof reference === "string" ? [] : [reference.name];
  });
  return [...names, ...(extended === undefined ? [] : [extended])].map((name) => key(metadata.namespace, name));
}

/** Why a generated claim is not used by the pod, if it is not its own. */
export const foreignClaim = (pod: Pod, claim: ResourceClaim): string | undefined =>
  controllerOf(claim)?.uid === pod.metadata.uid
    ? undefined
    : `ResourceClaim ${keyOf(claim)} was not created for Pod ${keyOf(pod)} (Pod is not owner)`;

export const isReservedFor = ({ metadata }: Pod, { status }: ResourceClaim): boolean =>
  (status?.reservedFor ?? []).some(({ uid }) => uid === metadata.uid);

/** The entry of `reservedFor` of a pod. */
export const consumerOf = ({ metadata }: Pod): ResourceClaimConsumerReference => ({
  ...{ resource: "pods", name: metadata.name, uid: metadata.uid },
});

/** None of its containers runs or will run. */
export const needsNoClaims = ({ metadata, spec, status }: Pod): boolean =>
  status?.phase === "Succeeded" ||
  status?.phase === "Failed" ||
  (metadata.deletionTimestamp !== undefined && spec.nodeName === undefined);
