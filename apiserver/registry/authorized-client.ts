// The access of components in the server's process: each call is authorized as the request over HTTP that does the
// same.
import { namespaces } from "../../api/core/namespaces.ts";
import { pods } from "../../api/core/pods.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, type DraftMeta, type Key, keyOf, splitKey } from "../../api/meta.ts";
import { customMetrics, externalMetrics, type MetricQuery } from "../../api/metrics/values.ts";
import type { Client, Selection } from "../../machinery/client.ts";
import type { Authorizer, RequestInfo, User } from "../authorization/authorizer.ts";
import { accessDenied } from "./refusals.ts";

/** Who a client acts as, and who decides what that user may do. */
export interface InProcessIdentity {
  readonly user: User;
  readonly authorizer: Pick<Authorizer, "decide">;
  /** The identity of a controller of the same process. */
  asController(account: string): InProcessIdentity;
}

type Kind = Pick<ResourceDefinition, "group" | "version" | "plural">;
interface Place {
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
}

const request = (
  verb: string,
  { group, version, plural: resource }: Kind,
  { namespace, name }: Place = {},
  subresource?: string,
): RequestInfo => ({
  ...{ verb, group, version, resource },
  ...(namespace !== undefined && { namespace }),
  ...(name !== undefined && { name }),
  ...(subresource !== undefined && { subresource }),
});
const onKey = (verb: string, r: Kind, key: Key, subresource?: string): RequestInfo =>
  request(verb, r, splitKey(key), subresource);
const onSelection = (verb: string, r: Kind, { namespace }: Selection): RequestInfo => request(verb, r, { namespace });

/** A creation has no name in its path, unless it is of a subresource. */
const creation = (r: ResourceDefinition, { namespace, name }: DraftMeta): RequestInfo =>
  r.subresourceOf
    ? request("create", r.subresourceOf.of, { namespace, name }, r.subresourceOf.subresource)
    : request("create", r, { namespace });

/** A metric is a resource of its own; one of objects is a subresource of theirs. */
function metricRead({ namespace, metric, described }: MetricQuery): RequestInfo {
  if (!described) return request("list", { ...externalMetrics, plural: metric }, { namespace });
  const { resource: plural, name = "*" } = described;
  return plural === "namespaces"
    ? request("get", { ...customMetrics, plural: "metrics" }, { namespace, name: metric })
    : request("get", { ...customMetrics, plural }, { namespace, name }, metric);
}

/** A client that refuses what its user may not do. */
export function authorizedClient(client: Client, { user, authorizer }: InProcessIdentity): Client {
  /** Throws the refusal, or rejects with it. Undefined when the request is allowed at once, as most are. */
  const refusal = (info: RequestInfo): Promise<void> | undefined => {
    const attributes = { ...info, user };
    const decision = authorizer.decide(attributes);
    if (decision instanceof Promise)
      return decision.then(({ allowed, reason }) => {
        if (!allowed) throw accessDenied(attributes, reason);
      });
    return decision.allowed ? undefined : Promise.reject(accessDenied(attributes, decision.reason));
  };
  const after = <T>(info: RequestInfo, call: () => Promise<T>): Promise<T> => {
    const pending = refusal(info);
    return pending ? pending.then(call) : call();
  };
  return {
    get: (r, key) => after(onKey("get", r, key), () => client.get(r, key)),
    scale: (r, key) => after(onKey("get", r, key, "scale"), () => client.scale(r, key)),
    list: (r, options = {}) => after(onSelection("list", r, options), () => client.list(r, options)),
    metricValues: (query) => after(metricRead(query), () => client.metricValues(query)),
    create: <T extends ApiObject>(r: ResourceDefinition<T>, draft: Parameters<typeof client.create<T>>[1]) =>
      after(creation(r as unknown as ResourceDefinition, draft.metadata), () => client.create(r, draft)),
    update(r, object, subresource) {
      // Over HTTP, a pod is bound by the creation of a Binding.
      const verb = subresource === "binding" && r.kind === pods.kind ? "create" : "update";
      return after(onKey(verb, r, keyOf(object), subresource), () => client.update(r, object, subresource));
    },
    patch: (r, key, patch, subresource) =>
      after(onKey("patch", r, key, subresource), () => client.patch(r, key, patch, subresource)),
    delete: (r, key, options) => after(onKey("delete", r, key), () => client.delete(r, key, options)),
    evict: (key, options) => after(onKey("create", pods, key, "eviction"), () => client.evict(key, options)),
    watch(r, options, signal) {
      const pending = refusal(onSelection("watch", r, options));
      return pending ? afterwards(pending, () => client.watch(r, options, signal)) : client.watch(r, options, signal);
    },
    // Over HTTP it is read from a list.
    revision: (kind) => after(request("list", kind ?? namespaces), () => client.revision(kind)),
    inTerm: client.inTerm,
    asController: client.asController,
    inSpan: client.inSpan,
  };
}

async function* afterwards<T>(pending: Promise<void>, begin: () => AsyncIterable<T>): AsyncGenerator<T> {
  await pending;
  yield* begin();
}
