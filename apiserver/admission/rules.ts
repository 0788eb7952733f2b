// The rules every cluster keeps, in the order Kubernetes asks them: its plugins that are on unless told otherwise.
import type { World } from "../../machinery/world.ts";
import type { Admission } from "./admission.ts";
import { certificateSubject } from "./certificate-subjects.ts";
import { defaultIngressClass } from "./ingress-classes.ts";
import { limitRanger } from "./limit-ranges.ts";
import { namespaceExists, namespaceStays } from "./namespaces.ts";
import { podTopology, unprovenNodes } from "./nodes.ts";
import { onePriorityForAll, priority } from "./priority.ts";
import { runtimeClass } from "./runtime-classes.ts";
import { serviceAccount } from "./service-accounts.ts";
import { claimGrowth, defaultStorageClass, storageInUse } from "./storage.ts";
import { defaultTolerations } from "./tolerations.ts";

/** What a cluster fills in where users are silent and clusters differ. */
export interface AdmissionConfig {
  /** How long pods stay on a node that is not ready or not reached. */
  readonly tolerationSeconds: number;
}

/** All of them, with the habits of a cluster. */
export const rules = (world: World, { tolerationSeconds }: AdmissionConfig): readonly Admission[] => [
  namespaceStays,
  namespaceExists,
  limitRanger,
  serviceAccount(world),
  unprovenNodes,
  priority,
  onePriorityForAll,
  defaultTolerations(tolerationSeconds),
  defaultStorageClass,
  storageInUse,
  claimGrowth,
  runtimeClass,
  certificateSubject,
  defaultIngressClass,
  podTopology,
];
