// A reference implementation of the volume plugins: one pod and one node at a time, over objects that are changed at
// once, without assumptions, candidates or caches.
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from "../../../api/generated/types.ts";
import type { Occupied } from "./reference.ts";

/** The stored objects, by name. All claims are in one namespace, sizes are whole Gi, and volumes are of one driver. */
export interface Stored {
  readonly claims: Map<string, PersistentVolumeClaim>;
  readonly volumes: Map<string, PersistentVolume>;
  readonly classes: ReadonlyMap<string, StorageClass>;
  /** How many volumes of the driver each node takes. */
  readonly limit: number;
}
export interface Choice {
  readonly matched: readonly (readonly [claim: string, volume: string])[];
  readonly provisioned: readonly string[];
}

const bindCompleted = "pv.kubernetes.io/bind-completed";
const selectedNode = "volume.kubernetes.io/selected-node";
const gibi = (quantity: string | undefined): number => Number.parseInt(quantity ?? "0", 10);
const sizeOf = ({ spec }: PersistentVolumeClaim): number => gibi(spec.resources!.requests!["storage"]);
const isBound = ({ metadata, spec }: PersistentVolumeClaim): boolean =>
  spec.volumeName !== undefined && metadata.annotations?.[bindCompleted] !== undefined;
const claimNames = ({ spec }: Pod): readonly string[] => [
  ...new Set((spec.volumes ?? []).map((v) => v.persistentVolumeClaim!.claimName)),
];

function isReachable({ spec }: PersistentVolume, { metadata }: Node): boolean {
  const expression = spec.nodeAffinity?.required?.nodeSelectorTerms[0]?.matchExpressions?.[0];
  return expression === undefined || expression.values!.includes(metadata.labels?.[expression.key] ?? "");
}
function isServed({ allowedTopologies }: StorageClass, { metadata }: Node): boolean {
  const expression = allowedTopologies?.[0]?.matchLabelExpressions?.[0];
  return expression === undefined || expression.values.includes(metadata.labels?.[expression.key] ?? "");
}
const isReserved = ({ spec: { claimRef } }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean =>
  claimRef?.name === metadata.name && (claimRef.uid === undefined || claimRef.uid === metadata.uid);

function meets(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  if (gibi(volume.spec.capacity!["storage"]) < sizeOf(claim)) return false;
  if (volume.spec.claimRef) return isReserved(volume, claim);
  return (
    volume.spec.storageClassName === claim.spec.storageClassName &&
    claim.spec.accessModes!.every((mode) => volume.spec.accessModes!.includes(mode))
  );
}

/** What happens to the unbound claims of the pod on that node, or nothing when it cannot run there. */
export function choose(pod: Pod, node: Node, { claims, volumes, classes }: Stored): Choice | undefined {
  const used = claimNames(pod).map((name) => claims.get(name));
  if (used.includes(undefined)) return undefined;
  const [bound, unbound] = [true, false].map((is) => used.map((c) => c!).filter((c) => isBound(c) === is));
  if (bound!.some((c) => !volumes.has(c.spec.volumeName!) || !isReachable(volumes.get(c.spec.volumeName!)!, node)))
    return undefined;
  const free = new Map(volumes);
  const matched: (readonly [string, string])[] = [];
  const provisioned: string[] = [];
  for (const claim of unbound!.toSorted((a, b) => sizeOf(a) - sizeOf(b))) {
    const storageClass = classes.get(claim.spec.storageClassName!);
    if (storageClass?.volumeBindingMode !== "WaitForFirstConsumer") return undefined;
    const chosenNode = claim.metadata.annotations?.[selectedNode];
    if (chosenNode !== undefined && chosenNode !== node.metadata.name) return undefined;
    const fitting = chosenNode === undefined ? [...free.values()].filter((volume) => meets(volume, claim)) : [];
    const reserved = fitting.filter((volume) => isReserved(volume, claim));
    const [best] = (reserved.length > 0 ? reserved.slice(0, 1) : fitting)
      .filter((volume) => isReachable(volume, node))
      .toSorted(
        (a, b) =>
          gibi(a.spec.capacity!["storage"]) - gibi(b.spec.capacity!["storage"]) ||
          (a.metadata.name < b.metadata.name ? -1 : 1),
      );
    if (best) {
      free.delete(best.metadata.name);
      matched.push([claim.metadata.name, best.metadata.name]);
    } else if (storageClass.provisioner === "disks.example.org" && isServed(storageClass, node))
      provisioned.push(claim.metadata.name);
    else return undefined;
  }
  return { matched, provisioned };
}

/** The volumes of the driver that a pod uses, by claim where there is none yet. */
const driverVolumes = (pod: Pod, { claims, volumes, classes }: Stored): readonly string[] =>
  claimNames(pod).flatMap((name) => {
    const { spec } = claims.get(name)!;
    if (spec.volumeName !== undefined) return volumes.has(spec.volumeName) ? [spec.volumeName] : [];
    return classes.get(spec.storageClassName!)?.provisioner === "disks.example.org" ? [`claim ${name}`] : [];
  });

/** Whether the volumes of the pod let it run on that node. */
export function volumesFit(pod: Pod, on: Occupied, all: readonly Occupied[], stored: Stored): boolean {
  if (choose(pod, on.node, stored) === undefined) return false;
  const alone = claimNames(pod).filter((name) =>
    stored.claims.get(name)!.spec.accessModes!.includes("ReadWriteOncePod"),
  );
  if (all.some(({ pods }) => pods.some((other) => claimNames(other).some((name) => alone.includes(name)))))
    return false;
  const present = new Set(on.pods.flatMap((other) => driverVolumes(other, stored)));
  const added = driverVolumes(pod, stored).filter((volume) => !present.has(volume));
  return added.length === 0 || present.size + new Set(added).size <= stored.limit;
}
