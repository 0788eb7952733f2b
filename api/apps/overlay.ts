// What the published schemas of the apps group do not say.
import { count, type Facts, open, otherwise, type Overlay, present, unchecked, values } from "../overlay.ts";

const share: Facts = { format: "count-or-share" };
const replicas: Facts = { default: 1, ...count };
const history: Facts = { default: 10, ...count };
const fixed: Facts = { immutable: true };
const retention: Facts = { ...otherwise("Retain"), ...values("Retain", "Delete") };

export const appsOverlay: Overlay = {
  DaemonSet: { status: present },
  DaemonSetSpec: { minReadySeconds: count, revisionHistoryLimit: history, selector: fixed, updateStrategy: present },
  DaemonSetStatus: {
    collisionCount: count,
    currentNumberScheduled: count,
    desiredNumberScheduled: count,
    numberAvailable: count,
    numberMisscheduled: count,
    numberReady: count,
    numberUnavailable: count,
    observedGeneration: count,
    updatedNumberScheduled: count,
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
  DeploymentStatus: {
    availableReplicas: count,
    collisionCount: count,
    observedGeneration: count,
    readyReplicas: count,
    replicas: count,
    unavailableReplicas: count,
    updatedReplicas: count,
  },
  DeploymentStrategy: { type: { ...otherwise("RollingUpdate"), open: true } },
  ReplicaSet: { status: present },
  ReplicaSetSpec: { minReadySeconds: count, replicas, selector: fixed },
  ReplicaSetStatus: {
    availableReplicas: count,
    fullyLabeledReplicas: count,
    observedGeneration: count,
    readyReplicas: count,
    replicas: count,
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
    availableReplicas: count,
    collisionCount: count,
    currentReplicas: count,
    observedGeneration: count,
    readyReplicas: count,
    replicas: count,
    updatedReplicas: count,
  },
  StatefulSetUpdateStrategy: { type: open },
};
