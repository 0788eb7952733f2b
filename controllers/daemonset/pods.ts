// The pods of a daemon set: which node each belongs to, which revision, and what a new one looks like. Pure.
import { nodeNameField, requiredTerms } from "../../api/core/pod/node-affinity.ts";
import { isTerminal } from "../../api/core/pod/status.ts";
import { pods as podKind } from "../../api/core/pods.ts";
import type { Affinity, DaemonSet, Pod } from "../../api/generated/types.ts";
import { childName } from "../../api/hash.ts";
import { type Draft, instantOf, ownedBy } from "../../api/meta.ts";
import { type Action, failedCreate, recordEvent } from "../../machinery/action.ts";
import { tolerationsOf } from "./eligibility.ts";

/** The label with the hash of the revision that a pod was made from, which the revision has as well. */
export const hashLabel = "controller-revision-hash";
const generationLabel = "pod-template-generation";
const generationAnnotation = "deprecated.daemonset.template.generation";

/** The node that a pod runs on, or is to be scheduled on. */
export function nodeOf({ spec }: Pod): string | undefined {
  if (spec.nodeName) return spec.nodeName;
  const fields = (requiredTerms(spec) ?? []).flatMap(({ matchFields = [] }) => matchFields);
  return fields.find(({ key, operator }) => key === nodeNameField && operator === "In")?.values?.[0];
}

/** Whether a pod was made from the revision with this hash. */
export const isUpdated = ({ metadata: { labels = {} } }: Pod, set: DaemonSet, hash: string): boolean => {
  const generation = set.metadata.annotations?.[generationAnnotation];
  return labels[hashLabel] === hash || (generation !== undefined && labels[generationLabel] === generation);
};

/** Scheduled pods first, then the oldest. */
const bySchedulingAndAge = (a: Pod, b: Pod): number =>
  Number(b.spec.nodeName !== undefined) - Number(a.spec.nodeName !== undefined) ||
  instantOf(a.metadata.creationTimestamp) - instantOf(b.metadata.creationTimestamp) ||
  (a.metadata.name < b.metadata.name ? -1 : 1);

/** Pods by node, the oldest first. Those that have ended and are being deleted are left out. */
export const podsByNode = (owned: readonly Pod[]): ReadonlyMap<string, readonly Pod[]> =>
  new Map(
    [
      ...Map.groupBy(
        owned.filter((p) => !isTerminal(p) || p.metadata.deletionTimestamp === undefined),
        nodeOf,
      ),
    ].flatMap(([node, pods]) => (node === undefined ? [] : [[node, pods.toSorted(bySchedulingAndAge)] as const])),
  );

/** The affinity with the requirement of one node in the place of what the template requires of nodes. */
const pinned = (affinity: Affinity | undefined, nodeName: string): Affinity => ({
  ...affinity,
  nodeAffinity: {
    ...affinity?.nodeAffinity,
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchFields: [{ key: nodeNameField, operator: "In", values: [nodeName] }] }],
    },
  },
});

/** A pod for a node, which the scheduler binds. */
function podDraft(set: DaemonSet, nodeName: string, hash: string, name: string): Draft<Pod> {
  const { metadata, spec } = set.spec.template;
  const generation = set.metadata.annotations?.[generationAnnotation];
  const labels = {
    ...metadata?.labels,
    [hashLabel]: hash,
    ...(generation !== undefined && { [generationLabel]: generation }),
  };
  return {
    kind: "Pod",
    metadata: {
      ...{ ...metadata, name, labels, namespace: set.metadata.namespace, generateName: `${set.metadata.name}-` },
      ownerReferences: [ownedBy(set)],
    },
    spec: { ...spec!, affinity: pinned(spec?.affinity, nodeName), tolerations: tolerationsOf(spec!) },
  };
}

/** What names of new pods depend on. */
export interface Naming {
  readonly isTaken: (name: string) => boolean;
  /** Deletions seen of the set's pods: a replacement gets a new name, a retry of the same decision the same name. */
  readonly deletions: number;
}

/** Creates a pod on each of the nodes. */
export const createOn = (
  set: DaemonSet,
  nodes: readonly string[],
  hash: string,
  { isTaken, deletions }: Naming,
): readonly Action[] => {
  const names = nodes.map((node) => {
    for (let slot = 0; ; slot++) {
      const name = childName(set.metadata, `${node}/${hash}/${slot}`, deletions);
      if (!isTaken(name)) return name;
    }
  });
  return [
    ...names.map((name, i): Action => {
      const draft = podDraft(set, nodes[i]!, hash, name);
      return { do: "create", resource: podKind, draft, refused: failedCreate(set) };
    }),
    ...names.map((name) => recordEvent(set, "Normal", "SuccessfulCreate", `Created pod: ${name}`)),
  ];
};

/** Deletes pods. */
export const deletePods = (set: DaemonSet, pods: readonly Pod[]): readonly Action[] => [
  ...pods.map((object): Action => ({ do: "delete", resource: podKind, object })),
  ...pods.map((p) => recordEvent(set, "Normal", "SuccessfulDelete", `Deleted pod: ${p.metadata.name}`)),
];
