// Describes what creates pods: Deployments, ReplicaSets, StatefulSets, DaemonSets, ReplicationControllers.
import type {
  DaemonSet,
  Deployment,
  PersistentVolumeClaim,
  Pod,
  ReplicaSet,
  ReplicationController,
  StatefulSet,
} from "../../api/generated/types.ts";
import { type ApiObject, controllerOf } from "../../api/meta.ts";
import { type LabelSelectorLike, selectorText } from "../../api/selector.ts";
import type { Describer, Reader } from "./describer.ts";
import {
  annotationLines,
  byKey,
  field,
  goList,
  indented,
  inlineLabels,
  type Lines,
  labelLines,
  table,
  timeText,
} from "./layout.ts";
import { podCounts, selectorOrNone, templateLines } from "./pods.ts";

/** What a selector matches and the owner controls. */
async function dependents<T extends ApiObject>(
  { metadata: { namespace, uid } }: ApiObject,
  selector: LabelSelectorLike | undefined,
  api: Reader,
  [root, plural]: readonly [root: string, plural: string],
): Promise<readonly T[]> {
  const query = new URLSearchParams({ labelSelector: selectorText(selector) });
  const found = await api.list<T>(`${root}/namespaces/${namespace}/${plural}?${query}`);
  return found.filter((object) => controllerOf(object)?.uid === uid);
}

/** The pods of a workload. */
const podsOf = (owner: ApiObject, selector: LabelSelectorLike | undefined, api: Reader): Promise<readonly Pod[]> =>
  dependents(owner, selector, api, ["/api/v1", "pods"]);

const owned = (object: ApiObject): Lines => {
  const owner = controllerOf(object);
  return owner ? [field("Controlled By", `${owner.kind}/${owner.name}`)] : [];
};

const identity = ({ metadata }: ApiObject): Lines => [
  field("Name", metadata.name),
  field("Namespace", metadata.namespace),
];
const labelsAndAnnotations = ({ metadata }: ApiObject): Lines => [
  ...labelLines("Labels", metadata.labels),
  ...annotationLines(metadata.annotations),
];

interface WorkloadCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
}
const conditionLines = (list: readonly WorkloadCondition[] | undefined): Lines =>
  list?.length
    ? [
        "Conditions:",
        ...indented(
          table(
            ["Type", "Status", "Reason"],
            list.map(({ type, status, reason = "" }) => [`${type} `, status, reason]),
          ),
        ),
      ]
    : [];

const withoutHash = (set: ReplicaSet): string => {
  const { metadata, spec } = set.spec.template ?? {};
  const { "pod-template-hash": _, ...labels } = metadata?.labels ?? {};
  return canonical({ metadata: { ...metadata, labels }, spec });
};

/** JSON with sorted keys, to compare templates. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item) ? Object.fromEntries(byKey({ ...item })) : item,
  );

/** `web-1 (1/1 replicas created)`. */
const setsText = (sets: readonly ReplicaSet[]): string =>
  sets
    .map((set) => `${set.metadata.name} (${set.status?.replicas ?? 0}/${set.spec.replicas ?? 0} replicas created)`)
    .join(", ") || "<none>";

function revisions(deployment: Deployment, sets: readonly ReplicaSet[]): Lines {
  const { metadata, spec } = deployment.spec.template;
  const template = canonical({ metadata: { ...metadata, labels: metadata?.labels ?? {} }, spec });
  const current = sets.find((set) => withoutHash(set) === template);
  if (current === undefined) return [];
  const old = sets.filter((set) => set !== current && (set.spec.replicas ?? 0) > 0);
  return [field("OldReplicaSets", setsText(old)), field("NewReplicaSet", setsText([current]))];
}

export const deploymentDescriber: Describer<Deployment, readonly ReplicaSet[]> = {
  related: (deployment, api) => dependents(deployment, deployment.spec.selector, api, ["/apis/apps/v1", "replicasets"]),
  lines: (deployment, { related }) => {
    const { metadata, spec, status = {} } = deployment;
    const { type, rollingUpdate } = spec.strategy ?? {};
    const counts = [
      `${spec.replicas ?? 1} desired`,
      `${status.updatedReplicas ?? 0} updated`,
      `${status.replicas ?? 0} total`,
      `${status.availableReplicas ?? 0} available`,
      `${status.unavailableReplicas ?? 0} unavailable`,
    ];
    return [
      ...identity(deployment),
      field("CreationTimestamp", timeText(metadata.creationTimestamp)),
      ...labelsAndAnnotations(deployment),
      field("Selector", selectorOrNone(spec.selector)),
      field("Replicas", counts.join(" | ")),
      field("StrategyType", type),
      field("MinReadySeconds", spec.minReadySeconds ?? 0),
      ...(rollingUpdate
        ? [
            field(
              "RollingUpdateStrategy",
              `${rollingUpdate.maxUnavailable} max unavailable, ${rollingUpdate.maxSurge} max surge`,
            ),
          ]
        : []),
      ...templateLines(spec.template),
      ...conditionLines(status.conditions),
      ...revisions(deployment, related),
    ];
  },
};

const ofReplicas = (set: ReplicaSet | ReplicationController): Lines => [
  field("Replicas", `${set.status?.replicas ?? 0} current / ${set.spec?.replicas ?? 0} desired`),
];

export const replicaSetDescriber: Describer<ReplicaSet, readonly Pod[]> = {
  related: (set, api) => podsOf(set, set.spec.selector, api),
  lines: (set, { related }) => [
    ...identity(set),
    field("Selector", selectorOrNone(set.spec.selector)),
    ...labelsAndAnnotations(set),
    ...owned(set),
    ...ofReplicas(set),
    field("Pods Status", podCounts(related)),
    ...templateLines(set.spec.template ?? {}),
    ...conditionLines(set.status?.conditions),
  ],
};

export const replicationControllerDescriber: Describer<ReplicationController, readonly Pod[]> = {
  related: (rc, api) => podsOf(rc, { matchLabels: rc.spec?.selector ?? {} }, api),
  lines: (rc, { related }) => [
    ...identity(rc),
    field("Selector", selectorOrNone({ matchLabels: rc.spec?.selector ?? {} })),
    ...labelsAndAnnotations(rc),
    ...ofReplicas(rc),
    field("Pods Status", podCounts(related)),
    ...templateLines(rc.spec?.template ?? {}),
    ...conditionLines(rc.status?.conditions),
  ],
};

function claimLines(claims: readonly PersistentVolumeClaim[] | undefined): Lines {
  if (!claims?.length) return [field("Volume Claims", "<none>")];
  return [
    "Volume Claims:",
    ...claims.flatMap(({ metadata, spec }) =>
      indented([
        field("Name", metadata.name),
        field("StorageClass", spec?.storageClassName),
        field("Labels", inlineLabels(metadata.labels)),
        field("Annotations", inlineLabels(metadata.annotations)),
        field("Capacity", spec?.resources?.requests?.["storage"] ?? "<default>"),
        field("Access Modes", goList(spec?.accessModes)),
      ]),
    ),
  ];
}

export const statefulSetDescriber: Describer<StatefulSet, readonly Pod[]> = {
  related: (set, api) => podsOf(set, set.spec.selector, api),
  lines: (set, { related }) => {
    const { metadata, spec, status } = set;
    const { type, rollingUpdate } = spec.updateStrategy ?? {};
    return [
      ...identity(set),
      field("CreationTimestamp", timeText(metadata.creationTimestamp)),
      field("Selector", selectorOrNone(spec.selector)),
      ...labelsAndAnnotations(set),
      field("Replicas", `${spec.replicas ?? 1} desired | ${status?.replicas ?? 0} total`),
      field("Update Strategy", type),
      ...(rollingUpdate?.partition === undefined ? [] : [`  ${field("Partition", rollingUpdate.partition)}`]),
      ...(rollingUpdate?.maxUnavailable === undefined
        ? []
        : [`  ${field("MaxUnavailable", rollingUpdate.maxUnavailable)}`]),
      field("Pods Status", podCounts(related)),
      ...templateLines(spec.template),
      ...claimLines(spec.volumeClaimTemplates as readonly PersistentVolumeClaim[] | undefined),
    ];
  },
};

export const daemonSetDescriber: Describer<DaemonSet, readonly Pod[]> = {
  related: (set, api) => podsOf(set, set.spec.selector, api),
  lines: (set, { related }) => {
    const { spec, status } = set;
    return [
      ...identity(set),
      field("Selector", selectorOrNone(spec.selector)),
      ...labelLines("Node-Selector", spec.template.spec?.nodeSelector),
      ...labelsAndAnnotations(set),
      `Desired Number of Nodes Scheduled: ${status?.desiredNumberScheduled ?? 0}`,
      `Current Number of Nodes Scheduled: ${status?.currentNumberScheduled ?? 0}`,
      `Number of Nodes Scheduled with Up-to-date Pods: ${status?.updatedNumberScheduled ?? 0}`,
      `Number of Nodes Scheduled with Available Pods: ${status?.numberAvailable ?? 0}`,
      `Number of Nodes Misscheduled: ${status?.numberMisscheduled ?? 0}`,
      field("Pods Status", podCounts(related)),
      ...templateLines(spec.template),
    ];
  },
};
