// Facts the published schemas of the apps group lack.
import {
  count,
  counts,
  type Facts,
  open,
  otherwise,
  type Overlay,
  present,
  servedCounts,
  unchecked,
  values,
} from "../overlay.ts";

const share: Facts = { format: "count-or-share" };
const replicas: Facts = { default: 1, ...count };
const history: Facts = { default: 10, ...count };
const fixed: Facts = { immutable: true };
const retention: Facts = { ...otherwise("Retain"), ...values("Retain", "Delete") };

export const appsOverlay: Overlay = {
  DaemonSet: { status: present },
  DaemonSetSpec: { minReadySeconds: count, revisionHistoryLimit: history, selector: fixed, updateStrategy: present },
  DaemonSetStatus: {
    ...counts("collisionCount", "numberAvailable", "numberUnavailable", "observedGeneration", "updatedNumberScheduled"),
    ...servedCounts("currentNumberScheduled", "desiredNumberScheduled", "numberMisscheduled", "numberReady"),
  },
  DaemonSetUpdateStrategy: {
    type: { ...otherwise("RollingUpdate"), ...values("RollingUpdate", "OnDelete"), open: true },
  },
  Deployment: { status: present },
  DeploymentSpec: {
    minReadySeconds: count,
    progressDeadlineSeconds: { default: 600, ...count },
    replicas,
    revisionHistoryLimit: history,
    selector: fixed,
    strategy: present,
  },
  DeploymentStatus: counts(
    "availableReplicas",
    "collisionCount",
    "observedGeneration",
    "readyReplicas",
    "replicas",
    "unavailableReplicas",
    "updatedReplicas",
  ),
  DeploymentStrategy: { type: { ...otherwise("RollingUpdate"), open: true } },
  ReplicaSet: { status: present },
  ReplicaSetSpec: { minReadySeconds: count, replicas, selector: fixed },
  ReplicaSetStatus: {
    ...counts("availableReplicas", "fullyLabeledReplicas", "observedGeneration", "readyReplicas"),
    ...servedCounts("replicas"),
  },
  RollingUpdateDaemonSet: { maxSurge: share, maxUnavailable: share },
  RollingUpdateDeployment: { maxSurge: { format: "count-or-percent" }, maxUnavailable: share },
  RollingUpdateStatefulSetStrategy: { maxUnavailable: share, partition: count },
  StatefulSet: { status: present },
  StatefulSetOrdinals: { start: count },
  StatefulSetPersistentVolumeClaimRetentionPolicy: { whenDeleted: retention, whenScaled: retention },
  StatefulSetSpec: {
    minReadySeconds: count,
    persistentVolumeClaimRetentionPolicy: present,
    podManagementPolicy: { ...otherwise("OrderedReady"), open: true },
    replicas,
    revisionHistoryLimit: history,
    // Claims are volumes of the pods: see the code.
    template: unchecked,
    volumeClaimTemplates: unchecked,
  },
  StatefulSetStatus: {
    ...counts("collisionCount", "currentReplicas", "observedGeneration", "readyReplicas", "updatedReplicas"),
    ...servedCounts("availableReplicas", "replicas"),
  },
  StatefulSetUpdateStrategy: { type: open },
};
