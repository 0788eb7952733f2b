// The verbs over the log, all of one cluster. Every kind takes this one path; what differs is in its definition.
import type { Registry } from "./verbs.ts";
import type { World } from "../../machinery/world.ts";
import type { Storage } from "../storage/storage.ts";
import { addresses, type AddressRanges } from "./addresses.ts";
import { withCertificateRequests } from "./certificate-requests.ts";
import { inAllForms } from "./forms.ts";
import { lanes } from "./lanes.ts";
import { limitRanger } from "./limit-ranges.ts";
import { listStored, watchStored } from "./listing.ts";
import { namespaceExists, namespaceStays } from "./namespaces.ts";
import { runtimeClass } from "./runtime-classes.ts";
import { serviceAccount } from "./service-accounts.ts";
import { patienceWithNodes } from "./tolerations.ts";
import { change, type Cluster, create, read, remove } from "./write.ts";

/** What a cluster fills in where users are silent and clusters differ. */
export interface Habits {
  /** How long pods stay on a node that is not ready or not reached. */
  readonly tolerationSeconds: number;
}
const kubernetesHabits: Habits = { tolerationSeconds: 300 };

/** Verbs over a storage, with the rules every cluster keeps. */
export function registry(
  storage: Storage,
  world: World,
  ranges: AddressRanges,
  { tolerationSeconds }: Habits = kubernetesHabits,
): Registry {
  const admissions = [
    namespaceStays,
    namespaceExists,
    serviceAccount(world),
    patienceWithNodes(tolerationSeconds),
    runtimeClass,
    limitRanger,
    addresses(world, ranges),
  ];
  const log = { storage, lanes: lanes(world) };
  const cluster: Cluster = { storage, world, admissions };
  const verbs: Registry = {
    world,
    get: (r, key) => read(cluster, r, key),
    list: (r, options) => listStored(log, r, options),
    create: (r, draft, options) => create(cluster, r, draft, options),
    change: (target, decide, options) => change(cluster, target, decide, options),
    delete: (target, options = {}) => remove(cluster, target, options),
    watch: (r, options, signal) => watchStored(log, r, options, signal),
    revision() {
      log.lanes.ask();
      return storage.revision();
    },
  };
  return inAllForms(withCertificateRequests(verbs));
}
