// The admission plugins every cluster has, in their order: those Kubernetes enables by default.
import type { World } from "../../machinery/world.ts";
import type { Authorizer } from "../authorization/authorizer.ts";
import type { AdmissionPlugin } from "../registry/admission.ts";
import { certificateSubject } from "./certificate-subjects.ts";
import { customResourceRules, customResourceStays } from "./custom-resources.ts";
import { defaultIngressClass, claimGrowth, defaultStorageClass, storageInUse } from "./classes.ts";
import { deviceAdministration, deviceSelectors, deviceStatuses, deviceTaintTimes } from "./devices.ts";
import { limitRanger, namespaceExists, namespaceStays } from "./namespaces.ts";
import { nodeDeclaredFeatures } from "./node-features.ts";
import { groupPriority, podGroupProtection, podGroupWorkload } from "./pod-groups.ts";
import { onlyLabels, type PodSecurityOptions } from "./podsecurity/configuration.ts";
import { podSecurityPlugins } from "./podsecurity/podsecurity.ts";
import {
  defaultTolerations,
  onePriorityForAll,
  podTopology,
  priority,
  runtimeClass,
  serviceAccount,
  unprovenNodes,
} from "./pods.ts";
import { nodeRestriction } from "./node-restriction/plugin.ts";
import { resourceQuota } from "./quotas.ts";
import { type AddressRanges, serviceAddresses } from "./services.ts";

/** What differs between clusters. */
export interface AdmissionConfig extends AddressRanges {
  /** How long pods stay on a node that is not ready or not reached. */
  readonly tolerationSeconds: number;
  /** The policy of namespaces without labels of PodSecurity, and what is exempt from it. */
  readonly podSecurity: PodSecurityOptions;
  /** Run behind the default plugins. */
  readonly plugins: readonly AdmissionPlugin[];
}

/** Kubernetes' default: five minutes. */
const kubernetesTolerationSeconds = 300;

/** All plugins, in the order in which they run. */
export const admissionPlugins = (
  world: World,
  authorizer: Authorizer,
  {
    tolerationSeconds = kubernetesTolerationSeconds,
    podSecurity = onlyLabels,
    plugins = [],
    ...ranges
  }: AddressRanges & Partial<AdmissionConfig>,
): readonly AdmissionPlugin[] => [
  namespaceStays,
  namespaceExists,
  limitRanger,
  serviceAccount(world),
  nodeRestriction(authorizer),
  unprovenNodes,
  ...podSecurityPlugins(world, podSecurity),
  priority,
  groupPriority,
  onePriorityForAll,
  defaultTolerations(tolerationSeconds),
  defaultStorageClass,
  storageInUse,
  podGroupProtection,
  claimGrowth,
  runtimeClass,
  certificateSubject,
  defaultIngressClass,
  podTopology,
  podGroupWorkload,
  nodeDeclaredFeatures,
  serviceAddresses(world, ranges),
  deviceSelectors,
  deviceAdministration,
  deviceStatuses,
  deviceTaintTimes,
  customResourceRules,
  customResourceStays,
  ...plugins,
  resourceQuota(),
];
