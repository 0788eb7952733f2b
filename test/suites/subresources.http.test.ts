// Subresources over HTTP: strict decoding, and the object and kind of the path.
import { expect, test } from "vitest";
import { sharedJsonClient } from "./json-client.ts";

const send = sharedJsonClient();

const core = "/api/v1/namespaces/default";
const sets = "/apis/apps/v1/namespaces/default/replicasets";
const template = { metadata: { labels: { app: "a" } }, spec: { containers: [{ name: "c", image: "i:1" }] } };
const unknown = 'strict decoding error: unknown field "surprise"';

test("bodies of subresources are decoded strictly on request", async () => {
  await send("POST", `${core}/pods`, { metadata: { name: "p" }, spec: template.spec });
  await send("POST", sets, { metadata: { name: "r" }, spec: { selector: { matchLabels: { app: "a" } }, template } });
  const about = (name: string): object => ({ metadata: { name }, surprise: 1 });
  const rows = [
    ["POST", `${core}/pods/p/binding`, { ...about("p"), target: { name: "n" } }, "Binding"],
    ["POST", `${core}/bindings`, { ...about("p"), target: { name: "n" } }, "Binding"],
    ["POST", `${core}/pods/p/eviction`, about("p"), "Eviction"],
    ["POST", `${core}/serviceaccounts/default/token`, about("default"), "TokenRequest"],
    ["PUT", `${sets}/r/scale`, { ...about("r"), spec: { replicas: 2 } }, "Scale"],
    ["PUT", `/api/v1/namespaces/default/finalize`, about("default"), "Namespace"],
  ] as const;
  for (const [method, path, body, kind] of rows) {
    const { status, json } = await send(method, `${path}?fieldValidation=Strict`, body);
    expect([path, status, json.message]).toEqual([
      path,
      400,
      `${kind} in version "v1" cannot be handled as a ${kind}: ${unknown}`,
    ]);
  }
  const patched = await send(
    "PATCH",
    `${sets}/r/scale?fieldValidation=Strict`,
    { surprise: 1 },
    {
      "content-type": "application/merge-patch+json",
    },
  );
  expect([patched.status, patched.json.message]).toEqual([422, expect.stringContaining(unknown)]);
});

test("bodies of subresources have the name of the path and the kind of the subresource", async () => {
  const other = { metadata: { name: "other" }, target: { name: "n" }, spec: { replicas: 1 } };
  const outcome = async (method: "POST" | "PUT", path: string, body: object = other) => {
    const { status, json } = await send(method, path, body);
    return [status, json.message];
  };
  expect(await outcome("POST", `${core}/pods/p/binding`)).toEqual([
    400,
    "name in URL does not match name in Binding object",
  ]);
  expect(await outcome("PUT", `${sets}/r/scale`)).toEqual([
    400,
    "the name of the object (other) does not match the name on the URL (r)",
  ]);
  expect(await outcome("PUT", `${sets}/r/scale`, { kind: "ReplicaSet", apiVersion: "apps/v1" })).toEqual([
    400,
    expect.stringContaining("cannot be handled as a Scale"),
  ]);
  expect(
    await outcome("POST", `${core}/pods/p/eviction`, { apiVersion: "policy/v1beta1", kind: "Eviction", ...other }),
  ).toEqual([400, "name in URL does not match name in Eviction object"]);
  expect(
    await outcome("POST", `${core}/pods/p/binding`, { metadata: { name: "p" }, target: { kind: "Moon" } }),
  ).toEqual([422, expect.stringMatching(/target.kind: Unsupported value: "Moon".*target.name: Required value/)]);
});

test("a status update does not create an object", async () => {
  const { status, json } = await send("PUT", `${core}/services/none/status`, {
    metadata: { name: "none" },
    status: {},
  });
  expect([status, json.message]).toEqual([404, 'services "none" not found']);
});

test("load balancer ingress has a default ipMode", async () => {
  const spec = { type: "LoadBalancer", ports: [{ port: 80 }] };
  await send("POST", `${core}/services`, { metadata: { name: "s" }, spec });
  const inMerge = { "content-type": "application/merge-patch+json" };
  const status = { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } };
  const patched = await send("PATCH", `${core}/services/s/status`, { status }, inMerge);
  expect(patched.json.status.loadBalancer.ingress).toEqual([{ ip: "192.0.2.1", ipMode: "VIP" }]);
  const inside = await send("PATCH", `${core}/services/s`, { spec: { type: "ClusterIP" } }, inMerge);
  expect([inside.json.status.loadBalancer, inside.json.spec.allocateLoadBalancerNodePorts]).toEqual([{}, undefined]);
  expect((await send("PATCH", `${core}/services/s/status`, { status }, inMerge)).json.message).toContain(
    "status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'",
  );
});
