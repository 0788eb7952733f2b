// Generated nodes, and what their names and labels may be.
import type { Chance } from "./chance.ts";
import type { Feature, Manifest } from "./scenario.ts";

export const zones = ["a", "b", "c"] as const;
export const hostname = "kubernetes.io/hostname";
export const zone = "topology.kubernetes.io/zone";
export const region = "topology.kubernetes.io/region";
export const gpu = "example.com/gpu";
/** Names of images and their sizes in MiB. */
const sizes: Readonly<Record<string, number>> = {
  "registry.example.com/app:1": 90,
  "registry.example.com/app:2": 700,
  "docker.io/library/db:latest": 30,
  cache: 1400,
};
export const images: readonly string[] = Object.keys(sizes);
const mebi = 2 ** 20;

const allocatable = (chance: Chance, isSmall: boolean): object => ({
  cpu: chance.pick(isSmall ? ["1", "2", "3"] : ["2", "4", "3900m", "8", "16"]),
  memory: chance.pick(["4Gi", "8Gi", "7500M", "16Gi", "32Gi"]),
  pods: chance.pick(["4", "10", "20", "110", "110"]),
  ...chance.maybe(0.5, () => ({ "ephemeral-storage": chance.pick(["1Gi", "20Gi"]) })),
  ...chance.maybe(0.4, () => ({ [gpu]: chance.pick(["1", "2", "4"]) })),
  ...chance.maybe(0.2, () => ({ "hugepages-2Mi": chance.pick(["64Mi", "512Mi"]) })),
});
const labels = (chance: Chance, name: string): object => ({
  ...chance.maybe(0.95, () => ({ [hostname]: name })),
  ...chance.maybe(0.85, () => ({ [zone]: chance.pick(zones) })),
  ...chance.maybe(0.6, () => ({ [region]: chance.pick(["north", "south"]) })),
  ...chance.maybe(0.6, () => ({ disk: chance.pick(["ssd", "hdd"]) })),
  ...chance.maybe(0.5, () => ({ rack: chance.pick(["r1", "r2", "r3"]) })),
  ...chance.maybe(0.5, () => ({ generation: chance.pick(["1", "2", "10", "x"]) })),
});
export const taintKeys = ["dedicated", "spot", "node.kubernetes.io/disk-pressure"] as const;
const taint = (chance: Chance): Readonly<Record<string, string>> => ({
  key: chance.pick(taintKeys),
  ...chance.maybe(0.6, () => ({ value: chance.pick(["x", "y"]) })),
  effect: chance.pick(["NoSchedule", "PreferNoSchedule", "NoExecute"]),
});
/** Kubernetes refuses two taints with the same key and effect. */
const distinct = (taints: readonly ReturnType<typeof taint>[]): readonly object[] => [
  ...new Map(taints.map((t) => [`${t["key"]} ${t["effect"]}`, t])).values(),
];

export const nodeName = (i: number): string => `n${String(i).padStart(2, "0")}`;

export function generatedNode(chance: Chance, i: number, has: (feature: Feature) => boolean): Manifest {
  const name = nodeName(i);
  // Preemption needs nodes that are full.
  const resources = allocatable(chance, has("priority"));
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels: labels(chance, name) },
    spec: {
      ...(has("taints") && chance.maybe(0.5, () => ({ taints: distinct(chance.list(1, 2, () => taint(chance))) }))),
      ...chance.maybe(has("taints") ? 0.15 : 0.03, () => ({ unschedulable: true })),
    },
    status: {
      capacity: resources,
      allocatable: resources,
      conditions: [{ type: "Ready", status: "True" }],
      ...(has("images") && {
        images: chance.some(images, 0.5).map((image) => ({ names: [image], sizeBytes: sizes[image]! * mebi })),
      }),
    },
  };
}
