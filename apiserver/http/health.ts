// The health endpoints: /livez, /readyz, /healthz and one path for each check, under the names by which load balancers
// and Kubernetes' own tests look for them.
import type { ApiRequest, WholeReply } from "../request/request-response.ts";
import type { Storage } from "../storage/storage.ts";

/** One thing that has to be well. */
export interface Check {
  readonly name: string;
  /** Rejects with the reason when it is not. */
  check(): Promise<void>;
}
/** What has to be well for each of the three questions: is it alive, is it ready, and the old one for both. */
export type Checks = Readonly<Record<"livez" | "readyz" | "healthz", readonly Check[]>>;

/** No checks at all. */
export const noChecks: Checks = { livez: [], readyz: [], healthz: [] };

const plain = { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" };
const fault = (body: string): WholeReply => ({ status: 500, body: `${body}\n`, headers: plain });

interface Judged {
  readonly name: string;
  readonly line: string;
  readonly failed?: string;
}

/** Reasons are logged only, since the response is public. */
async function judge({ name, check }: Check, excluded: readonly string[]): Promise<Judged> {
  if (excluded.includes(name)) return { name, line: `[+]${name} excluded: ok` };
  try {
    await check();
    return { name, line: `[+]${name} ok` };
  } catch (e) {
    return { name, line: `[-]${name} failed: reason withheld`, failed: (e as Error).message };
  }
}

async function all(endpoint: string, checks: readonly Check[], query: URLSearchParams): Promise<WholeReply> {
  const excluded = [...new Set(query.getAll("exclude"))];
  const judged = await Promise.all(checks.map((check) => judge(check, excluded)));
  const unknown = excluded.filter((name) => !checks.some((check) => check.name === name)).toSorted();
  const lines = [
    ...judged.map(({ line }) => line),
    ...(unknown.length > 0
      ? [
          `warn: some health checks cannot be excluded: no matches for ${unknown.map((n) => JSON.stringify(n)).join(",")}`,
        ]
      : []),
  ];
  if (judged.some(({ failed }) => failed !== undefined))
    return fault([...lines, `${endpoint} check failed`].join("\n"));
  const body = query.has("verbose") ? `${[...lines, `${endpoint} check passed`].join("\n")}\n` : "ok";
  return { status: 200, body, headers: plain };
}

async function one({ check }: Check): Promise<WholeReply> {
  try {
    await check();
    return { status: 200, body: "ok", headers: { "content-type": plain["content-type"] } };
  } catch (e) {
    return fault(`internal server error: ${(e as Error).message}`);
  }
}

const isEndpoint = (step: string): step is keyof Checks => ["livez", "readyz", "healthz"].includes(step);

/** The response of a health endpoint or of one of its checks; undefined for every other path. */
export async function health(checks: Checks, { path, query }: ApiRequest): Promise<WholeReply | undefined> {
  const [, endpoint = "", ...trace] = path.split("/");
  if (!isEndpoint(endpoint)) return undefined;
  const name = trace.join("/");
  if (name === "") return trace.length === 0 ? all(endpoint, checks[endpoint], query) : undefined;
  const check = checks[endpoint].find((candidate) => candidate.name === name);
  return check && one(check);
}

/** Every path that {@link health} serves. */
export const healthPaths = (checks: Checks): readonly string[] =>
  Object.entries(checks).flatMap(([endpoint, each]) => [
    `/${endpoint}`,
    ...each.map(({ name }) => `/${endpoint}/${name}`),
  ]);

/**
 * What Kubernetes' server does in hooks after it listens, this one does in its one bootstrap: a hook is healthy once
 * the bootstrap objects exist. Source: the hooks of kube-apiserver v1.36.
 */
const bootstrapHooks = [
  "start-apiserver-admission-initializer generic-apiserver-start-informers start-apiextensions-informers",
  "start-apiextensions-controllers crd-informer-synced bootstrap-controller start-system-namespaces-controller",
  "start-service-ip-repair-controllers rbac/bootstrap-roles scheduling/bootstrap-system-priority-classes",
  "priority-and-fairness-config-consumer priority-and-fairness-config-producer",
  "start-cluster-authentication-info-controller start-kube-aggregator-informers apiservice-registration-controller",
  "apiservice-status-local-available-controller apiservice-status-remote-available-controller",
  "apiservice-discovery-controller kube-apiserver-autoregistration autoregister-completion",
  "apiservice-openapi-controller apiservice-openapiv3-controller",
]
  .flatMap((line) => line.split(" "))
  .map((name) => (name === "autoregister-completion" ? name : `poststarthook/${name}`));

/** Checks over a storage, until the signal aborts; `isBootstrapped` says whether the bootstrap objects exist. */
export function serverChecks(storage: Storage, signal: AbortSignal, isBootstrapped: () => boolean): Checks {
  const named = (name: string, check: () => unknown = () => {}): Check => ({
    name,
    async check() {
      await check();
    },
  });
  const failUnless = (isHealthy: boolean, reason: string): void => {
    if (!isHealthy) throw new Error(reason);
  };
  const common = [named("ping"), named("log"), named("etcd", () => storage.revision())];
  const hooks = [
    named("poststarthook/storage-readiness", () => storage.revision()),
    ...bootstrapHooks.map((name) => named(name, () => failUnless(isBootstrapped(), "not finished"))),
  ];
  const alive = [...common, ...hooks];
  const ready = [
    ...common,
    named("etcd-readiness", () => storage.revision()),
    named("informer-sync"),
    ...hooks,
    named("shutdown", () => failUnless(!signal.aborted, "process is shutting down")),
  ];
  return { livez: alive, healthz: alive, readyz: ready };
}
