// A kind added and removed at runtime has the features of built-in kinds, and its watches end cleanly.
import { afterAll, beforeAll, expect, test } from "vitest";
import { apiServices } from "../../api/apiregistration/apiservices.ts";
import { apiVersionOf, define } from "../../api/kinds.ts";
import { type ApiObject, type Key, key } from "../../api/meta.ts";
import { invalid } from "../../api/problems.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { listeningServer, type TestServer } from "./listening.ts";
import { type RawResponse, type RawClient, rawClientOf, parsed } from "./raw-client.ts";

interface Widget extends ApiObject {
  readonly kind: "Widget";
  readonly spec: { readonly size: number; readonly color?: string; readonly replicas?: number };
  readonly status?: { readonly phase?: string; readonly replicas?: number };
}
const meta = { $ref: "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" };
const text = { type: "string" } as const;
const integer = { type: "integer", format: "int32" } as const;
const widgets = define<Widget>({
  group: "shop.example.com",
  version: "v1",
  kind: "Widget",
  plural: "widgets",
  shortNames: ["wd"],
  scope: "Namespaced",
  subresources: ["status", "scale"],
  generation: "spec",
  published: "com.example.shop.v1.Widget",
  schema: {
    type: "object",
    properties: {
      apiVersion: text,
      kind: text,
      metadata: meta,
      spec: { type: "object", properties: { size: integer, color: text, replicas: integer } },
      status: { type: "object", properties: { phase: text, replicas: integer } },
    },
  },
  defaults: (w) => ({ ...w, spec: { ...w.spec, size: w.spec?.size ?? 1 } }),
  validate: (w) => (w.spec.size < 0 ? [invalid("spec.size", w.spec.size, "must be greater than or equal to 0")] : []),
  columns: [
    { name: "Name", format: "name", cell: (w) => w.metadata.name },
    { name: "Size", type: "integer", cell: (w) => w.spec.size },
  ],
  selectable: { "spec.color": (w) => w.spec.color ?? "" },
});

const root = `/apis/${apiVersionOf(widgets)}`;
const path = `${root}/namespaces/default/widgets`;
const widget = (name: string, spec: object = {}): object => ({ metadata: { name }, spec });
const aggregated = { accept: "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList" };

let server: TestServer;
let { send, open, get }: RawClient = {} as RawClient;
beforeAll(async () => {
  server = await listeningServer();
  ({ send, open, get } = rawClientOf(server));
  server.kinds.add(widgets);
});
afterAll(() => server.close());

const sendJson = (method: string, at: string, body: object, type = "application/json"): Promise<RawResponse> =>
  send(at, { method, headers: { "content-type": type }, body: JSON.stringify(body) });
const sent = async (...request: Parameters<typeof sendJson>): Promise<[number, Record<string, any>]> => {
  const response = await sendJson(...request);
  return [response.status, parsed(response)];
};

test("create, get, list, update and every patch", async () => {
  expect(await sent("POST", path, widget("a", { color: "red" }))).toMatchObject([
    201,
    { kind: "Widget", apiVersion: "shop.example.com/v1", metadata: { generation: 1 }, spec: { size: 1, color: "red" } },
  ]);
  const [, made] = await sent("POST", path, widget("b", { size: 2, color: "blue" }));
  expect(await get(`${path}/a`)).toMatchObject({ metadata: { name: "a" } });
  expect(await get(path)).toMatchObject({ kind: "WidgetList", items: [{}, {}] });
  expect(await get(`${root}/widgets?limit=1`)).toMatchObject({ metadata: { remainingItemCount: 1 } });
  expect(await sent("PUT", `${path}/b`, { ...made, spec: { size: 3 } })).toMatchObject([
    200,
    { metadata: { generation: 2 }, spec: { size: 3 } },
  ]);
  const rows = [
    ["json-patch+json", [{ op: "replace", path: "/spec/size", value: 4 }], 4],
    ["merge-patch+json", { spec: { size: 5 } }, 5],
    ["strategic-merge-patch+json", { spec: { size: 6 } }, 6],
  ] as const;
  for (const [type, patch, size] of rows)
    expect(await sent("PATCH", `${path}/b`, patch, `application/${type}`)).toMatchObject([200, { spec: { size } }]);
  const applied = { apiVersion: apiVersionOf(widgets), kind: "Widget", ...widget("c", { size: 7 }) };
  const managed = [{ manager: "me", operation: "Apply", fieldsV1: { "f:spec": { "f:size": {} } } }];
  const apply = (as: string) => sent("PATCH", `${path}/c?fieldManager=${as}`, applied, "application/apply-patch+yaml");
  expect(await apply("me")).toMatchObject([201, { spec: { size: 7 }, metadata: { managedFields: managed } }]);
  Object.assign(applied, { spec: { size: 8 } });
  expect(await apply("you")).toMatchObject([409, { reason: "Conflict" }]);
});

test("validation, strict decoding and bodies of another kind have Kubernetes' messages", async () => {
  expect(await sent("POST", path, widget("wrong", { size: -1 }))).toMatchObject([
    422,
    { message: expect.stringContaining("spec.size: Invalid value: -1: must be greater than or equal to 0") },
  ]);
  expect(await sent("POST", `${path}?fieldValidation=Strict`, widget("wrong", { wings: 2 }))).toMatchObject([
    400,
    { message: expect.stringContaining('unknown field "spec.wings"') },
  ]);
  const configMaps = "/api/v1/namespaces/default/configmaps";
  const body = { apiVersion: apiVersionOf(widgets), kind: "Widget", ...widget("x") };
  expect(await sent("POST", configMaps, body)).toMatchObject([
    400,
    { message: expect.stringContaining("converting (v1.Widget) to (core.ConfigMap): unknown conversion") },
  ]);
});

test("status and scale subresources", async () => {
  await sent("POST", path, widget("parts", { size: 1, replicas: 1 }));
  const status = { status: { phase: "Ready", replicas: 1 }, spec: { size: 9 } };
  expect(await sent("PATCH", `${path}/parts/status`, status, "application/merge-patch+json")).toMatchObject([
    200,
    { spec: { size: 1 }, status: { phase: "Ready" }, metadata: { generation: 1 } },
  ]);
  const scale = { metadata: { name: "parts" }, spec: { replicas: 3 } };
  expect(await sent("PUT", `${path}/parts/scale`, scale)).toMatchObject([
    200,
    { kind: "Scale", spec: { replicas: 3 } },
  ]);
  expect(await get(`${path}/parts`)).toMatchObject({ spec: { size: 1, replicas: 3 }, status: { phase: "Ready" } });
});

test("tables and field selectors", async () => {
  const asTable = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };
  const selected = await send(`${path}?fieldSelector=spec.color=red`, { headers: asTable });
  const table = parsed(selected);
  expect(table["columnDefinitions"].map((column: any) => column.name)).toEqual(["Name", "Size"]);
  expect(table["rows"].map((row: any) => row.cells)).toEqual([["a", 1]]);
});

test("both forms of discovery, OpenAPI and metrics have the kind", async () => {
  const groups = async (): Promise<string[]> => (await get("/apis"))["groups"].map((group: any) => group.name);
  expect(await groups()).toContain("shop.example.com");
  expect((await get(root))["resources"].map((resource: any) => resource.name)).toEqual([
    "widgets",
    "widgets/scale",
    "widgets/status",
  ]);
  const all = parsed(await send("/apis", { headers: aggregated }));
  const group = all["items"].find((item: any) => item.metadata.name === "shop.example.com");
  expect(group.versions[0].resources[0]).toMatchObject({ resource: "widgets", shortNames: ["wd"] });
  expect(Object.keys((await get("/openapi/v3"))["paths"])).toContain("apis/shop.example.com/v1");
  const { components, paths } = await get("/openapi/v3/apis/shop.example.com/v1");
  expect(components.schemas[widgets.published].properties.spec.properties).toHaveProperty("color");
  expect(Object.keys(paths)).toContain("/apis/shop.example.com/v1/namespaces/{namespace}/widgets/{name}/status");
  expect((await get("/openapi/v2"))["definitions"]).toHaveProperty([widgets.published]);
  const metrics = (await send("/metrics")).text;
  expect(metrics).toMatch(
    /apiserver_request_total\{verb="POST",group="shop.example.com",version="v1",resource="widgets"/,
  );
  expect(metrics).toMatch(/apiserver_storage_objects\{resource="widgets.shop.example.com"\} [1-9]/);
});

/** Waits until an APIService exists or is deleted. */
async function untilApiService(name: Key, isThere: boolean): Promise<void> {
  for (;;) {
    const found = await server.inProcess.get(apiServices, name).then(
      () => true,
      () => false,
    );
    if (found === isThere) return;
    await realWorld(() => {}).clock.sleep(10);
  }
}

test("its group version has an APIService", () => untilApiService(key(undefined, "v1.shop.example.com"), true));

test("delete, and the deletion of a collection", async () => {
  expect((await send(`${path}/a`, { method: "DELETE" })).status).toBe(200);
  expect((await send(`${path}/a`)).status).toBe(404);
  expect((await send(path, { method: "DELETE" })).status).toBe(200);
  expect((await get(path))["items"]).toEqual([]);
});

test("a removed kind: watches end as at shutdown, the path is not found, and discovery omits it", async () => {
  await sent("POST", path, widget("last"));
  const other = new AbortController();
  const watch = await open(`${path}?watch=1`);
  const inProcess = server.inProcess.watch(widgets, { from: await server.inProcess.revision() }, other.signal);
  const ended = Promise.all([
    (async () => {
      const lines: string[] = [];
      for await (const chunk of watch) {
        lines.push(...String(chunk).trim().split("\n"));
        server.kinds.remove(widgets);
      }
      return lines.map((line) => JSON.parse(line).type);
    })(),
    (async () => {
      for await (const event of inProcess) expect(event.type).toBe("progress");
    })(),
  ]);
  expect((await ended)[0]).toEqual(["ADDED"]);
  expect((await sendJson("POST", path, widget("late"))).status).toBe(404);
  expect((await send(`${path}?watch=1`)).status).toBe(404);
  await expect(server.inProcess.list(widgets)).rejects.toMatchObject({ reason: "NotFound" });
  expect((await get("/apis"))["groups"].map((group: any) => group.name)).not.toContain("shop.example.com");
  expect((await send("/apis", { headers: aggregated })).text).not.toContain("shop.example.com");
  expect((await send(root)).status).toBe(404);
  expect(Object.keys((await get("/openapi/v3"))["paths"])).not.toContain("apis/shop.example.com/v1");
  await untilApiService(key(undefined, "v1.shop.example.com"), false);
});
