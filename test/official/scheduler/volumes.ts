// Generated claims and volumes: bound ones tied to a zone or a node, volumes to choose from, volumes to be made, and
// limits of drivers.
import type { Chance } from "./chance.ts";
import { hostname, nodeName, zone, zones } from "./nodes.ts";
import type { Manifest } from "./scenario.ts";

export const csiDriver = "csi.example.com";
export const provisioner = "example.com/made";
const classes: readonly Manifest[] = [
  ["waiting", "kubernetes.io/no-provisioner", "WaitForFirstConsumer"],
  ["immediate", "kubernetes.io/no-provisioner", "Immediate"],
  ["made", provisioner, "WaitForFirstConsumer"],
].map(([name, by, volumeBindingMode]) => ({
  apiVersion: "storage.k8s.io/v1",
  kind: "StorageClass",
  metadata: { name: name! },
  provisioner: by,
  volumeBindingMode,
}));
const limitedClass = (chance: Chance): Manifest => ({
  ...classes[2]!,
  metadata: { name: "zonal" },
  allowedTopologies: [{ matchLabelExpressions: [{ key: zone, values: chance.pick([["a"], ["a", "b"]]) }] }],
});

const at = (key: string, values: readonly string[]): object => ({
  nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator: "In", values }] }] } },
});
interface Volume {
  readonly name: string;
  readonly storageClassName: string;
  readonly storage: string;
  readonly modes: readonly string[];
}
function volume(chance: Chance, nodeCount: number, { name, storageClassName, storage, modes }: Volume): Manifest {
  const kind = chance.int(0, 3);
  const source =
    kind === 0
      ? { local: { path: `/mnt/${name}` }, ...at(hostname, [nodeName(chance.int(0, nodeCount - 1))]) }
      : kind === 1
        ? { csi: { driver: csiDriver, volumeHandle: name } }
        : {
            hostPath: { path: `/mnt/${name}` },
            ...chance.maybe(0.5, () => at(zone, chance.some(zones, 0.6).concat("a"))),
          };
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: {
      name,
      ...(kind === 2 && { labels: { [zone]: chance.pick(["a", "b", "a__b"]) } }),
    },
    spec: {
      capacity: { storage },
      accessModes: modes,
      storageClassName,
      persistentVolumeReclaimPolicy: "Retain",
      ...source,
    },
    status: { phase: "Available" },
  };
}
const claim = (name: string, spec: object, more: object = {}): Manifest => ({
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: { name, namespace: "default" },
  spec,
  status: { phase: "Pending" },
  ...more,
});

/** A claim and the volume it is bound to. */
function boundPair(chance: Chance, nodeCount: number, name: string): readonly Manifest[] {
  const modes = [chance.pick(["ReadWriteOnce", "ReadWriteMany", "ReadWriteOncePod"])];
  const made = volume(chance, nodeCount, { name: `pv-${name}`, storageClassName: "waiting", storage: "1Gi", modes });
  const claimRef = { apiVersion: "v1", kind: "PersistentVolumeClaim", name, namespace: "default" };
  const spec = {
    accessModes: modes,
    storageClassName: "waiting",
    resources: { requests: { storage: "1Gi" } },
    volumeName: `pv-${name}`,
  };
  return [
    { ...made, spec: { ...made.spec, claimRef }, status: { phase: "Bound" } },
    claim(name, spec, {
      metadata: { name, namespace: "default", annotations: { "pv.kubernetes.io/bind-completed": "yes" } },
      status: { phase: "Bound", accessModes: modes, capacity: { storage: "1Gi" } },
    }),
  ];
}
const unboundClaim = (chance: Chance, name: string): Manifest =>
  claim(name, {
    accessModes: ["ReadWriteOnce"],
    storageClassName: chance.pick(["waiting", "waiting", "waiting", "made", "zonal", "immediate", "nowhere"]),
    resources: { requests: { storage: chance.pick(["1Gi", "3Gi", "5Gi"]) } },
  });
const csiNode = (chance: Chance, name: string): Manifest => ({
  apiVersion: "storage.k8s.io/v1",
  kind: "CSINode",
  metadata: { name },
  spec: { drivers: [{ name: csiDriver, nodeID: name, topologyKeys: null, allocatable: { count: chance.int(1, 3) } }] },
});

export interface Storage {
  readonly objects: readonly Manifest[];
  /** Names of claims for pods; one of them does not exist. */
  readonly claims: readonly string[];
}
export function generatedStorage(chance: Chance, nodeCount: number): Storage {
  // Each volume has a size of its own: which of equal ones is chosen would be chance.
  const free = chance.list(0, 6, (i) =>
    volume(chance, nodeCount, {
      name: `free-${i}`,
      storageClassName: "waiting",
      storage: `${1 + i}Gi`,
      modes: ["ReadWriteOnce"],
    }),
  );
  const bound = chance.list(1, 5, (i) => `bound-${i}`);
  const unbound = chance.list(1, 5, (i) => `unbound-${i}`);
  const csiNodes = Array.from({ length: nodeCount }, (_, i) => nodeName(i)).filter(() => chance.of(0.7));
  return {
    objects: [
      ...classes,
      limitedClass(chance),
      ...free,
      ...bound.flatMap((name) => boundPair(chance, nodeCount, name)),
      ...unbound.map((name) => unboundClaim(chance, name)),
      ...csiNodes.map((name) => csiNode(chance, name)),
    ],
    claims: [...bound, ...unbound, "missing"],
  };
}
export const claimVolumes = (claims: readonly string[]): object => ({
  volumes: claims.map((claimName, i) => ({ name: `v-${i}`, persistentVolumeClaim: { claimName } })),
});
