// Discovery: group order, verbs and subresources of kinds, and the aggregated and unaggregated forms.
import { expect, test } from "vitest";
import { nodes } from "../../../api/core/nodes.ts";
import { builtinKinds } from "../../../api/builtin/kinds.ts";
import { kindRegistry } from "../../../machinery/kind-registry.ts";
import { discovery, describeSubresource } from "../../../apiserver/discovery/discovery.ts";
import { servedGroups } from "../../../apiserver/discovery/order.ts";
import type { ApiRequest } from "../../../apiserver/request/request-response.ts";
import { define, type ResourceDefinition } from "../../../api/kinds.ts";

const serve = discovery(kindRegistry(builtinKinds));
const ask = (path: string, headers: Record<string, string> = {}, method = "GET"): any =>
  serve({ path, headers, method } as unknown as ApiRequest);
const json = (path: string, headers?: Record<string, string>): any => JSON.parse(String(ask(path, headers).body));
const resources = (path: string): Record<string, any> =>
  Object.fromEntries(json(path).resources.map((r: any) => [r.name, r]));

const toy = (group: string, version: string): ResourceDefinition =>
  define({ group, version, kind: "Toy", plural: "toys", scope: "Cluster", published: "toy", schema: {} });

test("groups are in Kubernetes' order, versions by maturity and number", () => {
  const versions = ["v1beta1", "v1", "v11alpha2", "v2", "foo1", "v1beta2", "v10"].map((v) =>
    toy("toys.example.com", v),
  );
  const groups = [
    "metrics.k8s.io",
    "policy",
    "apps",
    "",
    "apiregistration.k8s.io",
    "discovery.k8s.io",
    "resource.k8s.io",
  ];
  const served = servedGroups([...versions, ...groups.map((g) => toy(g, "v1"))]);
  expect(served.map(([group]) => group)).toEqual([
    "apiregistration.k8s.io",
    "",
    "apps",
    "policy",
    "discovery.k8s.io",
    "resource.k8s.io",
    "toys.example.com",
    "metrics.k8s.io",
  ]);
  const ofToys = served.find(([group]) => group === "toys.example.com")![1];
  expect(ofToys.map((v) => v.version)).toEqual(["v10", "v2", "v1", "v1beta2", "v1beta1", "v11alpha2", "foo1"]);
  expect(json("/apis/autoscaling").preferredVersion).toEqual({ groupVersion: "autoscaling/v2", version: "v2" });
});

test("responses of the core group omit apiVersion; those of other groups have it", () => {
  expect(json("/api/v1")).toMatchObject({ kind: "APIResourceList", groupVersion: "v1" });
  expect(json("/api/v1").apiVersion).toBeUndefined();
  expect(json("/apis/apps/v1")).toMatchObject({ kind: "APIResourceList", apiVersion: "v1", groupVersion: "apps/v1" });
  const cidrs = [{ clientCIDR: "0.0.0.0/0", serverAddress: "10.0.0.1:6443" }];
  const versions = { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: cidrs };
  expect(json("/api", { host: "10.0.0.1:6443" })).toEqual(versions);
});

test("kinds and subresources have verbs and response kinds", () => {
  const all = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
  const core = resources("/api/v1");
  expect(Object.keys(core)).toEqual(Object.keys(core).toSorted());
  expect(core["pods"]).toEqual({
    name: "pods",
    singularName: "pod",
    namespaced: true,
    kind: "Pod",
    verbs: all,
    shortNames: ["po"],
    categories: ["all"],
    storageVersionHash: "xPOwRZ+Yhw8=",
  });
  const part = { singularName: "", namespaced: true };
  const eviction = { group: "policy", version: "v1", kind: "Eviction", verbs: ["create"] };
  expect(core["pods/eviction"]).toEqual({ ...part, name: "pods/eviction", ...eviction });
  expect(core["pods/log"]).toEqual({ ...part, name: "pods/log", kind: "Pod", verbs: ["get"] });
  expect(describeSubresource(nodes, "proxy")).toEqual({
    kind: "NodeProxyOptions",
    verbs: ["create", "delete", "get", "patch", "update"],
  });
  expect(core["namespaces"].verbs).toEqual(all.filter((verb) => verb !== "deletecollection"));
  const scale = { group: "autoscaling", version: "v1", kind: "Scale", verbs: ["get", "patch", "update"] };
  expect(resources("/apis/apps/v1")["deployments/scale"]).toEqual({ ...part, name: "deployments/scale", ...scale });
});

test("another version of a kind has the storage version hash of the stored one", () => {
  const [old, now] = ["v1", "v2"].map((v) => resources(`/apis/autoscaling/${v}`)["horizontalpodautoscalers"]);
  expect([old.storageVersionHash, now.storageVersionHash]).toEqual(["qwQve8ut294=", "qwQve8ut294="]);
});

const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const beta = aggregated.replace("v=v2", "v=v2beta1");

test("aggregated discovery has an ETag, and an unchanged document is 304", () => {
  const first = ask("/apis", { accept: `${aggregated},${beta},application/json` });
  expect(first.headers).toMatchObject({ "content-type": aggregated, vary: "Accept", "cache-control": "public" });
  expect(first.headers.etag).toMatch(/^"[0-9A-F]{128}"$/);
  const again = ask("/apis", { accept: aggregated, "if-none-match": first.headers.etag });
  expect([again.status, String(again.body), again.headers.etag]).toEqual([304, "", first.headers.etag]);
  expect(ask("/apis", { accept: aggregated, "if-none-match": '"other"' }).status).toBe(200);
  expect(json("/api", { accept: aggregated }).items.map((g: any) => g.metadata)).toEqual([{}]);
  const [apps] = json("/apis", { accept: aggregated }).items.filter((g: any) => g.metadata.name === "apps");
  const deployments = apps.versions[0].resources.find((r: any) => r.resource === "deployments");
  expect(deployments).toMatchObject({
    responseKind: { group: "", version: "", kind: "Deployment" },
    scope: "Namespaced",
    singularResource: "deployment",
    subresources: [
      { subresource: "scale", responseKind: { group: "autoscaling", version: "v1", kind: "Scale" } },
      { subresource: "status", responseKind: { group: "", version: "", kind: "Deployment" } },
    ],
  });
});

test("the first supported form in Accept is served", () => {
  const rows = [
    ["application/json", "APIGroupList"],
    [`application/json,${aggregated}`, "APIGroupList"],
    [`${beta},application/json`, "APIGroupList"],
    [`application/vnd.kubernetes.protobuf,${aggregated}`, "APIGroupDiscoveryList"],
    ["", "APIGroupList"],
  ] as const;
  for (const [accept, kind] of rows) expect([accept, json("/apis", { accept }).kind]).toEqual([accept, kind]);
  for (const accept of [beta, "text/html", "application/json;as=Table;v=v1;g=meta.k8s.io"])
    expect(() => ask("/apis", { accept })).toThrow(/only the following media types are accepted/);
});

test("the root lists served paths, and discovery accepts only GET", () => {
  const { paths } = json("/");
  expect(paths).toEqual(
    expect.arrayContaining(["/api", "/api/v1", "/apis", "/apis/apps", "/apis/apps/v1", "/version"]),
  );
  expect(paths).toEqual(paths.toSorted());
  for (const path of paths.filter((p: string) => /^\/apis?\//.test(p))) expect(ask(path), path).toBeDefined();
  expect(ask("/apis/nothing.example.com/v1")).toBeUndefined();
  expect(() => ask("/apis", {}, "POST")).toThrow(/does not allow this method/);
});
