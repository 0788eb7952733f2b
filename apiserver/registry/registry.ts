// The verbs over the log, all of one cluster. Every kind takes this one path; what differs is in its definition.
import { admitting } from "../admission/admission.ts";
import { type AdmissionConfig, rules } from "../admission/rules.ts";
import type { Registry } from "./verbs.ts";
import type { World } from "../../machinery/world.ts";
import type { Storage } from "../storage/storage.ts";
import { addresses, type AddressRanges } from "./addresses.ts";
import { withCertificateRequests } from "./certificate-requests.ts";
import { withConversions } from "./conversion.ts";
import { watchIndexes } from "./watch-index.ts";
import { listStored, watchStored } from "./listing.ts";
import { change, type Cluster, create, read, remove } from "./write.ts";

const kubernetesDefaults: AdmissionConfig = { tolerationSeconds: 300 };

/** Verbs over a storage, with the rules every cluster keeps. */
export function registry(
  storage: Storage,
  world: World,
  ranges: AddressRanges,
  habits: AdmissionConfig = kubernetesDefaults,
): Registry {
  const admissions = [...rules(world, habits), addresses(world, ranges)];
  const log = { storage, watchIndexes: watchIndexes(world) };
  const cluster: Cluster = { storage, world, admitting: admitting(admissions, storage) };
  const verbs: Registry = {
    world,
    get: (r, key) => read(cluster, r, key),
    list: (r, options) => listStored(log, r, options),
    create: (r, draft, options) => create(cluster, r, draft, options),
    change: (target, decide, options) => change(cluster, target, decide, options),
    delete: (target, options = {}) => remove(cluster, target, options),
    watch: (r, options, signal) => watchStored(log, r, options, signal),
    revision() {
      log.watchIndexes.ask();
      return storage.revision();
    },
  };
  return withConversions(withCertificateRequests(verbs));
}
