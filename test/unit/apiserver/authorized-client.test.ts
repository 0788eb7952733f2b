// Components in the server's process: what each call is authorized as, and what a refusal looks like.
import { beforeEach, expect, test } from "vitest";
import { tokenRequests } from "../../../api/authentication/tokenrequests.ts";
import { configMaps } from "../../../api/core/configmaps.ts";
import { namespaces } from "../../../api/core/namespaces.ts";
import { nodes } from "../../../api/core/nodes.ts";
import { pods } from "../../../api/core/pods.ts";
import { deployments } from "../../../api/apps/deployments.ts";
import type { ApiObject } from "../../../api/meta.ts";
import { key, revision } from "../../../api/meta.ts";
import { componentUser, controllerUser } from "../../../apiserver/authentication/components.ts";
import type { Decision, RequestAttributes, User } from "../../../apiserver/authorization/authorizer.ts";
import { clusterRegistry } from "../../../apiserver/cluster-registry.ts";
import type { InProcessIdentity } from "../../../apiserver/registry/authorized-client.ts";
import { inProcessClient } from "../../../apiserver/registry/in-process.ts";
import { memoryStorage } from "../../../apiserver/storage/log.ts";
import type { Client } from "../../../machinery/client.ts";
import { ranges } from "../../sim/user.ts";
import { seeded, virtualClock } from "../../sim/virtual-clock.ts";

const requests: RequestAttributes[] = [];
let answer: (request: RequestAttributes) => Decision | Promise<Decision>;
const identity = (user: User): InProcessIdentity => ({
  user,
  authorizer: {
    decide(request) {
      requests.push(request);
      return answer(request);
    },
  },
  asController: (account) => identity(controllerUser(account)),
});
const registry = clusterRegistry(memoryStorage(), { clock: virtualClock(), random: seeded(1), log: () => {} }, ranges);
const client = inProcessClient(registry, { identity: identity(componentUser("kube-scheduler")) });
const [allowed, denied] = [{ allowed: true }, { allowed: false }] as const;
beforeEach(() => {
  requests.length = 0;
  answer = () => denied;
});

const at = key("apps", "web");
const pod = (): ApiObject =>
  ({ kind: "Pod", metadata: { name: "web", namespace: "apps", resourceVersion: "1" } }) as ApiObject;
const metric = { namespace: "apps", metric: "rps" };
const unending = new AbortController().signal;
const firstOf = (events: AsyncIterable<unknown>): Promise<unknown> => events[Symbol.asyncIterator]().next();

test.each<[call: string, attributes: string, made: (c: Client) => Promise<unknown>]>([
  ["get", "get /v1 pods apps/web", (c) => c.get(pods, at)],
  ["get of a cluster's", "get /v1 nodes /n", (c) => c.get(nodes, key(undefined, "n"))],
  ["scale", "get apps/v1 deployments/scale apps/web", (c) => c.scale(deployments, at)],
  ["list", "list /v1 pods /", (c) => c.list(pods)],
  ["list in a namespace", "list /v1 pods apps/", (c) => c.list(pods, { namespace: "apps" })],
  ["watch", "watch /v1 pods apps/", (c) => firstOf(c.watch(pods, { namespace: "apps", from: revision(0) }, unending))],
  ["create", "create /v1 pods apps/", (c) => c.create(pods, pod() as never)],
  [
    "create of a token",
    "create /v1 serviceaccounts/token apps/bot",
    (c) => c.create(tokenRequests, { kind: "TokenRequest", metadata: { namespace: "apps", name: "bot" } } as never),
  ],
  ["update", "update /v1 pods apps/web", (c) => c.update(pods, pod() as never)],
  ["status", "update /v1 pods/status apps/web", (c) => c.update(pods, pod() as never, "status")],
  ["binding", "create /v1 pods/binding apps/web", (c) => c.update(pods, pod() as never, "binding")],
  ["patch", "patch /v1 pods apps/web", (c) => c.patch(pods, at, { type: "merge", patch: {} })],
  [
    "patch of a scale",
    "patch apps/v1 deployments/scale apps/web",
    (c) => c.patch(deployments, at, { type: "merge", patch: {} }, "scale"),
  ],
  ["delete", "delete /v1 pods apps/web", (c) => c.delete(pods, at)],
  ["evict", "create /v1 pods/eviction apps/web", (c) => c.evict(at)],
  ["revision of a kind", "list /v1 configmaps /", (c) => c.revision(configMaps)],
  ["revision", "list /v1 namespaces /", (c) => c.revision()],
  [
    "metric of objects",
    "get custom.metrics.k8s.io/v1beta2 pods/rps apps/*",
    (c) => c.metricValues({ ...metric, described: { resource: "pods" } }),
  ],
  [
    "metric of the namespace",
    "get custom.metrics.k8s.io/v1beta2 metrics apps/rps",
    (c) => c.metricValues({ ...metric, described: { resource: "namespaces" } }),
  ],
  ["metric of nothing", "list external.metrics.k8s.io/v1beta1 rps apps/", (c) => c.metricValues(metric)],
])("%s is authorized as %s", async (_, attributes, made) => {
  await expect(made(client)).rejects.toMatchObject({ reason: "Forbidden" });
  expect(
    requests.map(
      ({ verb, group, version, resource, subresource, namespace = "", name = "" }) =>
        `${verb} ${group}/${version} ${resource}${subresource ? `/${subresource}` : ""} ${namespace}/${name}`,
    ),
  ).toEqual([attributes]);
  // A decision that is not known at once refuses as well.
  answer = () => Promise.resolve(denied);
  await expect(made(client)).rejects.toMatchObject({ reason: "Forbidden" });
});

test("a refusal has the message of a request over HTTP, with the reason of the authorizer", async () => {
  answer = () => ({ allowed: false, reason: "no role" });
  await expect(client.get(pods, at)).rejects.toThrow(
    'pods "web" is forbidden: User "system:kube-scheduler" cannot get resource "pods" in API group "" in the namespace "apps": no role',
  );
});

test.each([
  ["at once", (): Decision => allowed],
  ["later", (): Promise<Decision> => Promise.resolve(allowed)],
])("what is allowed %s is done", async (_, decision) => {
  answer = decision;
  const name = decision() instanceof Promise ? "b" : "a";
  await client.create(namespaces, { kind: "Namespace", metadata: { name } } as never);
  expect((await client.get(namespaces, key(undefined, name))).metadata.name).toBe(name);
  expect(await firstOf(client.watch(namespaces, { from: revision(0) }, unending))).toMatchObject({ done: false });
});

test("a controller acts as its service account, also in a term; without an identity all is allowed", async () => {
  const controller = client
    .inTerm({ namespace: "a", name: "b", holder: "c", transitions: 1 } as never)
    .asController("x");
  await expect(controller.get(pods, at)).rejects.toThrow('User "system:serviceaccount:kube-system:x" cannot get');
  expect(requests[0]!.user.groups).toEqual([
    ...["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"],
  ]);
  const server = inProcessClient(registry);
  await expect(server.asController("x").get(pods, at)).rejects.toMatchObject({ reason: "NotFound" });
});
