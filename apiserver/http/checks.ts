// The health checks of this server, under the names by which load balancers and Kubernetes' own tests look for them.
import type { Storage } from "../storage/storage.ts";
import type { Check, Checks } from "./health.ts";

/**
 * What Kubernetes' server does in hooks after it listens, this one does in its one bootstrap: a hook is healthy once
 * the bootstrap objects exist. Source: the hooks of kube-apiserver v1.36.
 */
const bootstrapHooks = [
  "poststarthook/start-apiserver-admission-initializer",
  "poststarthook/generic-apiserver-start-informers",
  "poststarthook/start-apiextensions-informers",
  "poststarthook/start-apiextensions-controllers",
  "poststarthook/crd-informer-synced",
  "poststarthook/bootstrap-controller",
  "poststarthook/start-system-namespaces-controller",
  "poststarthook/start-service-ip-repair-controllers",
  "poststarthook/rbac/bootstrap-roles",
  "poststarthook/scheduling/bootstrap-system-priority-classes",
  "poststarthook/priority-and-fairness-config-consumer",
  "poststarthook/priority-and-fairness-config-producer",
  "poststarthook/start-cluster-authentication-info-controller",
  "poststarthook/start-kube-aggregator-informers",
  "poststarthook/apiservice-registration-controller",
  "poststarthook/apiservice-status-local-available-controller",
  "poststarthook/apiservice-status-remote-available-controller",
  "poststarthook/apiservice-discovery-controller",
  "poststarthook/kube-apiserver-autoregistration",
  "autoregister-completion",
  "poststarthook/apiservice-openapi-controller",
  "poststarthook/apiservice-openapiv3-controller",
];

/** Checks over a storage; `isBootstrapped` says whether the bootstrap objects exist, `isStopping` whether to drain. */
export function serverChecks(storage: Storage, isBootstrapped: () => boolean, isStopping: () => boolean): Checks {
  const named = (name: string, check: () => Promise<unknown> | undefined): Check => ({
    name,
    async check() {
      await check();
    },
  });
  const failUnless = (isHealthy: boolean, reason: string): undefined => {
    if (!isHealthy) throw new Error(reason);
  };
  const ping = named("ping", () => undefined);
  const log = named("log", () => undefined);
  const etcd = named("etcd", () => storage.revision());
  const hooks = [
    named("poststarthook/storage-readiness", () => storage.revision()),
    ...bootstrapHooks.map((name) => named(name, () => failUnless(isBootstrapped(), "not finished"))),
  ];
  const alive = [ping, log, etcd, ...hooks];
  const ready = [
    ...[ping, log, etcd],
    named("etcd-readiness", () => storage.revision()),
    named("informer-sync", () => undefined),
    ...hooks,
    named("shutdown", () => failUnless(!isStopping(), "process is shutting down")),
  ];
  return { livez: alive, healthz: alive, readyz: ready };
}
