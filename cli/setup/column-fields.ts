// Maps table columns to the field they show, whose description is the column's.

/**
 * Columns as `Header=field`, by kind. A field is `.name`, `spec.name` or `status.name` of the kind, or
 * `Type.name` of another type.
 */
const columns: Readonly<Record<string, string>> = {
  CSIDriver: `
    AttachRequired=spec.attachRequired, PodInfoOnMount=spec.podInfoOnMount, StorageCapacity=spec.storageCapacity,
    TokenRequests=spec.tokenRequests, RequiresRepublish=spec.requiresRepublish, Modes=spec.volumeLifecycleModes
  `,
  CertificateSigningRequest: `
    SignerName=spec.signerName, Requestor=spec.request, RequestedDuration=spec.expirationSeconds,
    Condition=status.conditions
  `,
  ClusterRoleBinding: "Role=.roleRef",
  ConfigMap: "Data=.data",
  ControllerRevision: "Revision=.revision",
  CronJob: `
    Schedule=spec.schedule, Timezone=spec.timeZone, Suspend=spec.suspend, Active=status.active,
    Last Schedule=status.lastScheduleTime, Selector=JobSpec.selector
  `,
  DaemonSet: `
    Desired=status.desiredNumberScheduled, Current=status.currentNumberScheduled, Ready=status.numberReady,
    Up-to-date=status.updatedNumberScheduled, Available=status.numberAvailable,
    Node Selector=PodSpec.nodeSelector, Selector=spec.selector
  `,
  Deployment: "Up-to-date=status.updatedReplicas, Available=status.availableReplicas, Selector=spec.selector",
  EndpointSlice: "AddressType=.addressType, Ports=.ports, Endpoints=.endpoints",
  Endpoints: "Endpoints=.subsets",
  Event: `
    Last Seen=.lastTimestamp, Type=.type, Reason=.reason, Object=.involvedObject,
    Subobject=ObjectReference.fieldPath, Source=.source, Message=.message, First Seen=.firstTimestamp,
    Count=.count
  `,
  HorizontalPodAutoscaler: `
    Reference=spec.scaleTargetRef, Targets=spec.metrics, MinPods=spec.minReplicas, MaxPods=spec.maxReplicas,
    Replicas=status.currentReplicas
  `,
  Job: "Completions=status.succeeded, Selector=spec.selector",
  Lease: "Holder=spec.holderIdentity",
  NetworkPolicy: "Pod-Selector=spec.podSelector",
  Node: `
    Version=NodeSystemInfo.kubeletVersion, Internal-IP=status.addresses, External-IP=status.addresses,
    OS-Image=NodeSystemInfo.osImage, Kernel-Version=NodeSystemInfo.kernelVersion,
    Container-Runtime=NodeSystemInfo.containerRuntimeVersion
  `,
  PersistentVolume: `
    Capacity=spec.capacity, Access Modes=spec.accessModes, Reclaim Policy=spec.persistentVolumeReclaimPolicy,
    Status=status.phase, Claim=spec.claimRef, Reason=status.reason, VolumeMode=spec.volumeMode
  `,
  PersistentVolumeClaim: `
    Status=status.phase, Volume=spec.volumeName, Capacity=status.capacity, Access Modes=status.accessModes,
    VolumeMode=spec.volumeMode
  `,
  Pod: `
    IP=status.podIP, Node=spec.nodeName, Nominated Node=status.nominatedNodeName,
    Readiness Gates=spec.readinessGates
  `,
  PodGroup: "Policy=spec.schedulingPolicy",
  PriorityClass: "Value=.value, Global-Default=.globalDefault, PreemptionPolicy=.preemptionPolicy",
  ReplicaSet: "Desired=spec.replicas, Current=status.replicas, Ready=status.readyReplicas, Selector=spec.selector",
  ReplicationController: `
    Desired=spec.replicas, Current=status.replicas, Ready=status.readyReplicas, Selector=spec.selector
  `,
  RoleBinding: "Role=.roleRef",
  RuntimeClass: "Handler=.handler",
  Secret: "Type=.type, Data=.data",
  Service: `
    Type=spec.type, Cluster-IP=spec.clusterIP, External-IP=spec.externalIPs, Port(s)=spec.ports,
    Selector=spec.selector
  `,
  ServiceAccount: "Secrets=.secrets",
  StorageClass: `
    Provisioner=.provisioner, ReclaimPolicy=.reclaimPolicy, VolumeBindingMode=.volumeBindingMode,
    AllowVolumeExpansion=.allowVolumeExpansion
  `,
  VolumeAttachment: `
    Attacher=spec.attacher, PV=VolumeAttachmentSource.persistentVolumeName, Node=spec.nodeName,
    Attached=status.attached
  `,
};

const fieldOf = (kind: string, field: string): string =>
  field.replace(/^(spec|status|)\./, (_, part: string) => `${kind}${part.replace(/^s/, "S")}.`);

/** The fields of columns, as `Type.name`, by kind and header; the empty kind stands for all kinds. */
export const columnFields: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "": {
    Name: "ObjectMeta.name",
    Age: "ObjectMeta.creationTimestamp",
    "Created At": "ObjectMeta.creationTimestamp",
  },
  ...Object.fromEntries(
    Object.entries(columns).map(([kind, text]) => [
      kind,
      Object.fromEntries(
        text.split(",").map((column) => {
          const [header = "", field = ""] = column.trim().split("=");
          return [header, fieldOf(kind, field)] as const;
        }),
      ),
    ]),
  ),
};
