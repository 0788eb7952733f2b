// Which volume a claim may be bound to, and which nodes can reach a volume: the rules that the binder and the scheduler
// share. Sources: the Kubernetes concepts page, "Persistent Volumes"; the API reference of PersistentVolumeSpec.
import type { NodeSelectorTerm, PersistentVolume, PersistentVolumeClaim, StorageClass } from "../generated/types.ts";
import { parseQuantity } from "../quantity.ts";
import { type Labels, selects } from "../selector.ts";
import { type NodeMatcher, termMatcher } from "./pod/node-affinity.ts";
import { classAnnotation } from "./volume-fields.ts";

/** On claims: the binding is complete. A claim that lost its volume keeps it. */
export const bindCompleted = "pv.kubernetes.io/bind-completed";
/** On claims and volumes: the system chose the other side, not the user, and may undo that choice. */
export const boundByController = "pv.kubernetes.io/bound-by-controller";
/** On claims: the node whose pod waits for the volume. The scheduler sets it, and a provisioner begins then. */
export const selectedNode = "volume.kubernetes.io/selected-node";

/** On claims: the provisioner that is to make a volume. The second name is older, and still read by some. */
export const storageProvisioner = [
  "volume.kubernetes.io/storage-provisioner",
  "volume.beta.kubernetes.io/storage-provisioner",
] as const;
/** On volumes: the provisioner that made them. */
export const provisionedBy = "pv.kubernetes.io/provisioned-by";

type Claim = Pick<PersistentVolumeClaim, "metadata" | "spec">;
type Volume = PersistentVolume;

/** The storage class of a claim or a volume; empty for none. The old annotation wins. */
export const classNameOf = ({ metadata, spec }: Claim | Volume): string =>
  metadata.annotations?.[classAnnotation] ?? spec.storageClassName ?? "";

/** Claims of this class are bound once a pod that uses them is scheduled. */
export const waitsForConsumer = (storageClass: StorageClass | undefined): boolean =>
  storageClass?.volumeBindingMode === "WaitForFirstConsumer";

/** Both sides agree: the claim names a volume, and the binder has finished. */
export const isFullyBound = ({ metadata, spec }: Claim): boolean =>
  Boolean(spec.volumeName) && metadata.annotations?.[bindCompleted] !== undefined;

/** Whether the volume is bound to this claim or reserved for it. A reference without uid is a reservation by name. */
export function refersTo({ spec: { claimRef } }: Volume, { metadata }: Claim): boolean {
  if (claimRef?.name !== metadata.name || claimRef.namespace !== metadata.namespace) return false;
  return !claimRef.uid || claimRef.uid === metadata.uid;
}

/** The volume with a complete reference to the claim; the volume itself when it has one. */
export function boundTo(volume: Volume, claim: Claim): Volume {
  if (refersTo(volume, claim) && volume.spec.claimRef?.uid === claim.metadata.uid) return volume;
  const { namespace, name, uid, resourceVersion } = claim.metadata;
  const claimRef = { kind: "PersistentVolumeClaim", apiVersion: "v1", namespace, name, uid, resourceVersion };
  const annotations = refersTo(volume, claim)
    ? volume.metadata.annotations
    : { ...volume.metadata.annotations, [boundByController]: "yes" };
  return { ...volume, metadata: { ...volume.metadata, annotations }, spec: { ...volume.spec, claimRef } };
}

const storage = (quantities: Readonly<Record<string, string>> = {}): bigint =>
  parseQuantity(quantities["storage"] ?? "0")?.nano ?? 0n;

const modeOf = ({ spec }: Claim | Volume): string => spec.volumeMode ?? "Filesystem";
const attributesOf = ({ spec }: Claim | Volume): string => spec.volumeAttributesClassName ?? "";

/** What also a volume must meet that is reserved for the claim. */
const isCompatible = (volume: Volume, claim: Claim): boolean =>
  volume.metadata.deletionTimestamp === undefined &&
  modeOf(volume) === modeOf(claim) &&
  attributesOf(volume) === attributesOf(claim) &&
  storage(volume.spec.capacity) >= storage(claim.spec.resources?.requests);

/** The volume has every access mode of the claim. */
export const hasAccessModes = ({ spec }: Volume, claim: Claim): boolean =>
  (claim.spec.accessModes ?? []).every((mode) => spec.accessModes?.includes(mode));

/** What a volume must meet that is reserved for no claim. Volumes in another phase change soon. */
const isAvailable = (volume: Volume, claim: Claim): boolean =>
  volume.status?.phase === "Available" &&
  classNameOf(volume) === classNameOf(claim) &&
  hasAccessModes(volume, claim) &&
  (claim.spec.selector === undefined || selects(claim.spec.selector, volume.metadata.labels));

// Filter checks one volume against every node: its terms are prepared once.
const matchers = new WeakMap<object, readonly NodeMatcher[]>();
const withoutFields = ({ matchFields = [], ...term }: NodeSelectorTerm): NodeMatcher =>
  matchFields.length > 0 && !term.matchExpressions?.length ? () => true : termMatcher(term);
function matchersOf(required: NonNullable<NonNullable<Volume["spec"]["nodeAffinity"]>["required"]>) {
  const known = matchers.get(required) ?? required.nodeSelectorTerms.map(withoutFields);
  matchers.set(required, known);
  return known;
}

/** Whether nodes with these labels can reach the volume. Terms by node name match every node, as in Kubernetes. */
export function isReachableFrom({ spec: { nodeAffinity } }: Volume, labels: Labels): boolean {
  const required = nodeAffinity?.required;
  return required === undefined || matchersOf(required).some((match) => match({ name: "", labels }));
}

/** The smallest volume first; equal ones by name, so that a run can be repeated. */
function isBetter(volume: Volume, than: Volume): boolean {
  const [size, other] = [storage(volume.spec.capacity), storage(than.spec.capacity)];
  return size === other ? volume.metadata.name < than.metadata.name : size < other;
}

const bestFirst = (volumes: readonly Volume[]): readonly Volume[] =>
  volumes.toSorted((a, b) => (isBetter(a, b) ? -1 : 1));

/** The volumes that a claim may be bound to, best first: the one reserved for it alone, else all that meet it. */
export function candidatesFor(claim: Claim, volumes: readonly Volume[]): readonly Volume[] {
  const compatible = volumes.filter((volume) => isCompatible(volume, claim));
  const reserved = compatible.find((volume) => refersTo(volume, claim));
  if (reserved) return [reserved];
  return bestFirst(compatible.filter((volume) => !volume.spec.claimRef && isAvailable(volume, claim)));
}

/**
 * The volume for a claim wherever it is, for the binder: the one reserved for it, else, unless binding is delayed until
 * a pod is scheduled, the smallest with the fewest access modes that meets the claim.
 */
export function volumeAnywhere(claim: Claim, volumes: readonly Volume[], delayed: boolean): Volume | undefined {
  const candidates = candidatesFor(
    claim,
    volumes.filter((volume) => hasAccessModes(volume, claim)),
  );
  const modes = (volume: Volume): number => volume.spec.accessModes?.length ?? 0;
  const fewest = Math.min(...candidates.map(modes));
  return candidates.find((volume) => refersTo(volume, claim) || (!delayed && modes(volume) === fewest));
}
