// What would happen to the claims of a pod on a node: the volumes of bound ones must be reachable, others are bound to
// a volume that exists, or provisioned. Pure. Source: the Kubernetes concepts page, "Storage Classes".
import { persistentVolumes } from "../../../api/core/persistentvolumes.ts";
import { candidatesFor, classNameOf, isReachableFrom, selectedNode } from "../../../api/core/volume-matching.ts";
import type {
  CSIStorageCapacity,
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
} from "../../../api/generated/types.ts";
import { key } from "../../../api/meta.ts";
import { parseQuantity } from "../../../api/quantity.ts";
import { type Labels, selects } from "../../../api/selector.ts";
import { csiDrivers, csiStorageCapacities } from "../../../api/storage/csi.ts";
import { storageClasses } from "../../../api/storage/storageclasses.ts";
import { type Rejection, type Snapshot, unresolvable } from "../../framework.ts";
import type { NodeInfo } from "../../node-info.ts";

/** A claim that is bound once its pod has a node. */
export interface DelayedClaim {
  readonly claim: PersistentVolumeClaim;
  /** Volumes it may be bound to, best first. */
  readonly candidates: readonly PersistentVolume[];
  readonly storageClass: StorageClass | undefined;
  /** Storage with enough room for it; absent where the driver does not say what room it has. */
  readonly capacities?: readonly CSIStorageCapacity[];
}
/** The claims of a pod. */
export interface PodClaims {
  /** The volumes of bound claims; undefined for one that does not exist. */
  readonly bound: readonly (PersistentVolume | undefined)[];
  /** The smallest first, so that it gets the smallest volume. */
  readonly delayed: readonly DelayedClaim[];
}
/** What is done about the delayed claims: each gets a volume that exists, or one that is made for it. */
export interface NodePlan {
  readonly matched: readonly { readonly claim: PersistentVolumeClaim; readonly volume: PersistentVolume }[];
  readonly provisioned: readonly PersistentVolumeClaim[];
}

const noProvisioner = "kubernetes.io/no-provisioner";
const unreachable = "node(s) didn't match PersistentVolume's node affinity";
const unmatched = "node(s) didn't find available persistent volumes to bind";
const fullStorage = "node(s) did not have enough free storage";
const noVolume = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)";

const sizeOf = (quantity: string | undefined): bigint => parseQuantity(quantity ?? "0")?.nano ?? 0n;
const requestOf = ({ spec }: PersistentVolumeClaim): bigint => sizeOf(spec.resources?.requests?.["storage"]);

/** How large a volume may be that is made there; of two figures, the limit of a single volume is the better one. */
export const volumeLimit = ({ maximumVolumeSize, capacity }: CSIStorageCapacity): bigint =>
  sizeOf(maximumVolumeSize ?? capacity);

/** Only drivers that publish capacities are held to them. */
function capacitiesFor(
  claim: PersistentVolumeClaim,
  storageClass: StorageClass | undefined,
  lister: Snapshot["lister"],
): readonly CSIStorageCapacity[] | undefined {
  if (!storageClass || claim.spec.resources?.requests?.["storage"] === undefined) return undefined;
  const driver = lister(csiDrivers).get(key(undefined, storageClass.provisioner));
  if (!driver?.spec.storageCapacity) return undefined;
  return lister(csiStorageCapacities)
    .all()
    .filter(
      (capacity) =>
        capacity.storageClassName === storageClass.metadata.name && volumeLimit(capacity) >= requestOf(claim),
    );
}

/** Prepares claims for {@link planOn}, once per pod. `volumes` are all volumes, with what is assumed about them. */
export function delayedClaims(
  claims: readonly PersistentVolumeClaim[],
  lister: Snapshot["lister"],
  assumed: (volume: PersistentVolume) => PersistentVolume,
): readonly DelayedClaim[] {
  if (claims.length === 0) return [];
  const volumes = lister(persistentVolumes).all().map(assumed);
  return claims
    .toSorted((a, b) => Number(requestOf(a) - requestOf(b)))
    .map((claim) => {
      const storageClass = lister(storageClasses).get(key(undefined, classNameOf(claim)));
      const capacities = capacitiesFor(claim, storageClass, lister);
      const candidates = nodeOf(claim) === undefined ? candidatesFor(claim, volumes) : [];
      return { claim, candidates, storageClass, ...(capacities && { capacities }) };
    });
}

/** The node that provisioners make the volume for; of a claim whose pod was placed before. */
export const nodeOf = ({ metadata }: PersistentVolumeClaim): string | undefined => metadata.annotations?.[selectedNode];

/** A class without topologies is served everywhere. */
const allows = ({ allowedTopologies: terms = [] }: StorageClass, labels: Labels): boolean =>
  terms.length === 0 ||
  terms.some(
    ({ matchLabelExpressions: expressions = [] }) =>
      expressions.length > 0 && expressions.every(({ key: label, values }) => values.includes(labels[label] ?? "")),
  );

/** Why no volume can be made for the claim on that node. */
function provisioningProblem({ storageClass, capacities }: DelayedClaim, { labels }: NodeInfo): string | undefined {
  if (!storageClass || storageClass.provisioner === noProvisioner || !allows(storageClass, labels)) return unmatched;
  return capacities && !capacities.some(({ nodeTopology }) => selects(nodeTopology, labels)) ? fullStorage : undefined;
}

function planDelayed(delayed: readonly DelayedClaim[], node: NodeInfo): NodePlan | string {
  if (delayed.some(({ claim }) => (nodeOf(claim) ?? node.name) !== node.name)) return unmatched;
  const taken = new Set<PersistentVolume>();
  const matched: NodePlan["matched"][number][] = [];
  const provisioned: PersistentVolumeClaim[] = [];
  for (const each of delayed) {
    const volume = each.candidates.find((v) => !taken.has(v) && isReachableFrom(v, node.labels));
    if (volume) {
      taken.add(volume);
      matched.push({ claim: each.claim, volume });
      continue;
    }
    const problem = provisioningProblem(each, node);
    if (problem !== undefined) return problem;
    provisioned.push(each.claim);
  }
  return { matched, provisioned };
}

function boundProblem(bound: PodClaims["bound"], { labels }: NodeInfo): string | undefined {
  for (const volume of bound) {
    if (!volume) return noVolume;
    if (!isReachableFrom(volume, labels)) return unreachable;
  }
  return undefined;
}

// Rejections are shared: a large cluster has as many as nodes.
const rejections = new Map<string, Rejection>();
function rejectionOf(reasons: readonly string[]): Rejection {
  const id = reasons.join();
  const known = rejections.get(id) ?? unresolvable(...reasons);
  rejections.set(id, known);
  return known;
}

/** The plan for a node, or why it will not do. */
export function planOn({ bound, delayed }: PodClaims, node: NodeInfo): NodePlan | Rejection {
  const problem = boundProblem(bound, node);
  const plan = planDelayed(delayed, node);
  if (problem === undefined && typeof plan !== "string") return plan;
  const reasons = [problem, typeof plan === "string" ? plan : undefined].filter((reason) => reason !== undefined);
  return rejectionOf(problem === noVolume ? reasons.toReversed() : reasons);
}
