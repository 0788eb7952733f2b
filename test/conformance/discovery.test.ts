// Discovery: the version, groups and resources of the server.
import { ApisApi, CoreV1Api, VersionApi } from "@kubernetes/client-node";
import { expect } from "vitest";
import { behaviour } from "./behaviour.ts";

behaviour("server version should find the server version", async ({ client }) => {
  const { major, minor, gitVersion, platform } = await client(VersionApi).getCode();
  expect(major).toMatch(/^[1-9]\d*$/);
  expect(minor).toMatch(/^[1-9]\d*\+?$/);
  expect(gitVersion).toMatch(new RegExp(`^v${major}\\.${Number.parseInt(minor, 10)}\\.\\d+`));
  expect(platform).toMatch(/^\w+\/\w+$/);
});

behaviour("Discovery should validate PreferredVersion for each APIGroup", async ({ client, send }) => {
  const { groups } = await client(ApisApi).getAPIVersions();
  expect(groups.length).toBeGreaterThan(3);
  for (const { name, preferredVersion, versions } of groups) {
    expect(preferredVersion, name).toBeDefined();
    expect(versions, name).toContainEqual(preferredVersion);
    const alone = JSON.parse((await send(`/apis/${name}`)).text);
    expect(alone).toMatchObject({ kind: "APIGroup", name, preferredVersion, versions });
  }
});

behaviour("Discovery should locate the groupVersion and a resource within each APIGroup", async ({ client, send }) => {
  const { groups } = await client(ApisApi).getAPIVersions();
  const core = await client(CoreV1Api).getAPIResources();
  expect(core.resources.map((r) => r.name)).toEqual(expect.arrayContaining(["pods", "services", "namespaces"]));
  for (const { groupVersion } of groups.flatMap((g) => g.versions)) {
    const list = JSON.parse((await send(`/apis/${groupVersion}`)).text);
    expect(list).toMatchObject({ kind: "APIResourceList", groupVersion });
    expect(list.resources.length, groupVersion).toBeGreaterThan(0);
    for (const resource of list.resources) {
      expect(resource.name).toMatch(/^[a-z]+(\/[a-z]+)?$/);
      expect(resource.kind).toMatch(/^[A-Z]/);
      expect(resource.verbs.length, resource.name).toBeGreaterThan(0);
    }
  }
});

const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
/** One resource of every required group. */
const everywhere = [
  "/v1/namespaces",
  "admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
  "apiextensions.k8s.io/v1/customresourcedefinitions",
  "apiregistration.k8s.io/v1/apiservices",
  "apps/v1/deployments",
  "authentication.k8s.io/v1/tokenreviews",
  "authorization.k8s.io/v1/selfsubjectaccessreviews",
  "autoscaling/v1/horizontalpodautoscalers",
  "autoscaling/v2/horizontalpodautoscalers",
  "batch/v1/jobs",
  "certificates.k8s.io/v1/certificatesigningrequests",
  "coordination.k8s.io/v1/leases",
  "discovery.k8s.io/v1/endpointslices",
  "events.k8s.io/v1/events",
  "networking.k8s.io/v1/ingresses",
  "node.k8s.io/v1/runtimeclasses",
  "policy/v1/poddisruptionbudgets",
  "scheduling.k8s.io/v1/priorityclasses",
  "storage.k8s.io/v1/csinodes",
];
const served = (list: any): readonly string[] =>
  list.items.flatMap((group: any) =>
    group.versions.flatMap((v: any) =>
      v.resources.map((r: any) => `${group.metadata.name ?? ""}/${v.version}/${r.resource}`),
    ),
  );

behaviour("AggregatedDiscovery should support raw aggregated discovery endpoint Accept headers", async ({ send }) => {
  const lists = [];
  for (const path of ["/api", "/apis"]) {
    const { status, headers, text } = await send(path, { headers: { accept: aggregated } });
    expect([status, headers["content-type"]]).toEqual([200, aggregated]);
    lists.push(JSON.parse(text));
    expect(lists.at(-1)).toMatchObject({ kind: "APIGroupDiscoveryList", apiVersion: "apidiscovery.k8s.io/v2" });
  }
  expect(lists.flatMap(served)).toEqual(expect.arrayContaining(everywhere));
});

behaviour("AggregatedDiscovery should support aggregated discovery interface", async ({ send }) => {
  // As client libraries do: all supported forms in one header, the documents in two requests, and two more requests
  // with their ETags.
  const accept = `${aggregated},${aggregated.replace("v=v2", "v=v2beta1")},application/json`;
  const found: string[] = [];
  for (const path of ["/api", "/apis"]) {
    const first = await send(path, { headers: { accept } });
    const list = JSON.parse(first.text);
    found.push(...served(list));
    for (const resource of list.items.flatMap((g: any) => g.versions).flatMap((v: any) => v.resources))
      for (const part of [resource, ...(resource.subresources ?? [])])
        expect([resource.resource, part.responseKind.kind, part.verbs.length]).toEqual([
          resource.resource,
          expect.stringMatching(/^[A-Z]/),
          expect.toSatisfy((count: number) => count > 0),
        ]);
    const again = await send(path, { headers: { accept, "if-none-match": String(first.headers["etag"]) } });
    // Clients replace cached headers with those of a 304, so it must not have the headers of an empty body.
    const { "content-type": type, "content-length": length } = again.headers;
    expect([again.status, again.text, type, length]).toEqual([304, "", undefined, undefined]);
  }
  expect(found).toEqual(expect.arrayContaining(everywhere));
});
