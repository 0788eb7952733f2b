// Custom resources as clients meet them: from the definition to the objects, and away again.
import { afterAll, beforeAll, expect, test } from "vitest";
import { listeningServer, type TestServer } from "./listening.ts";
import { parsed, type RawClient, rawClientOf } from "./raw-client.ts";

let server: TestServer;
let { send, get, open }: RawClient = {} as RawClient;
beforeAll(async () => {
  server = await listeningServer();
  ({ send, get, open } = rawClientOf(server));
});
afterAll(() => server.close());

type Body = Record<string, any>;
const sent = async (method: string, at: string, body: object, type = "application/json"): Promise<[number, Body]> => {
  const response = await send(at, { method, headers: { "content-type": type }, body: JSON.stringify(body) });
  return [response.status, parsed(response)];
};

const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const integer = { type: "integer" };
const text = { type: "string" };
const spec = {
  type: "object",
  required: ["image"],
  properties: {
    image: { ...text, minLength: 1, description: "What it runs." },
    replicas: { ...integer, minimum: 0, default: 1 },
    max: integer,
    until: { ...text, format: "date-time" },
    color: { ...text, enum: ["red", "blue"] },
    note: { ...text, nullable: true },
    free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
    ports: {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["name"],
      items: { type: "object", required: ["name"], properties: { name: text, port: { ...integer, default: 80 } } },
    },
  },
  "x-kubernetes-validations": [
    { rule: "!has(self.max) || self.replicas <= self.max", message: "replicas must not exceed max" },
    { rule: "self.image == oldSelf.image", message: "image is immutable" },
  ],
};
const schema = {
  openAPIV3Schema: {
    type: "object",
    properties: {
      spec,
      status: { type: "object", properties: { replicas: integer, selector: text, phase: text } },
    },
  },
};
const version = (name: string, storage: boolean, more: object = {}): Body => ({
  ...{ name, served: true, storage, schema },
  subresources: {
    status: {},
    scale: {
      specReplicasPath: ".spec.replicas",
      statusReplicasPath: ".status.replicas",
      labelSelectorPath: ".status.selector",
    },
  },
  additionalPrinterColumns: [
    { name: "Image", type: "string", jsonPath: ".spec.image" },
    { name: "Max", type: "integer", jsonPath: ".spec.max", priority: 1 },
  ],
  selectableFields: [{ jsonPath: ".spec.color" }],
  ...more,
});
const definition = (plural: string, kind: string, versions: readonly Body[], names: object = {}): Body => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `${plural}.example.com` },
  spec: { group: "example.com", scope: "Namespaced", names: { plural, kind, ...names }, versions },
});

/** Reads until the definition has the condition: it is set after the request that causes it. */
async function untilCondition(name: string, type: string, status: string): Promise<Body> {
  const stream = await open(`${definitions}?watch=1&fieldSelector=metadata.name=${name}`);
  const matches = (crd: Body): boolean =>
    (crd["status"]?.conditions ?? []).some((c: Body) => c["type"] === type && c["status"] === status);
  const now = await get(`${definitions}/${name}`);
  if (matches(now)) return now;
  for await (const chunk of stream)
    for (const line of String(chunk).trim().split("\n")) {
      const { object } = JSON.parse(line) as Body;
      if (matches(object)) return object;
    }
  throw new Error("the watch ended");
}
async function define(plural: string, kind: string, versions: readonly Body[], names: object = {}): Promise<void> {
  const [status, body] = await sent("POST", definitions, definition(plural, kind, versions, names));
  expect([status, body["message"]]).toEqual([201, undefined]);
  await untilCondition(`${plural}.example.com`, "Established", "True");
}
const path = (plural: string, v = "v1"): string => `/apis/example.com/${v}/namespaces/default/${plural}`;
const object = (name: string, body: object = {}): object => ({
  apiVersion: "example.com/v1",
  kind: "App",
  metadata: { name },
  spec: { image: "web", ...body },
});

test("a definition is accepted and established, and its kind is served", async () => {
  await define("apps", "App", [version("v1", true)], { shortNames: ["ap"] });
  expect(await get(`${definitions}/apps.example.com`)).toMatchObject({
    status: {
      acceptedNames: { plural: "apps", singular: "app", kind: "App", listKind: "AppList", shortNames: ["ap"] },
      storedVersions: ["v1"],
      conditions: [
        { type: "NamesAccepted", status: "True", reason: "NoConflicts", message: "no conflicts found" },
        { type: "Established", status: "True", reason: "InitialNamesAccepted" },
      ],
    },
  });
  expect((await get("/apis/example.com/v1"))["resources"].map((r: Body) => r["name"])).toEqual([
    "apps",
    "apps/scale",
    "apps/status",
  ]);
});

test("objects are pruned, completed, and numbered by their content", async () => {
  const [, made] = await sent(
    "POST",
    path("apps"),
    object("a", { wings: 2, free: { wings: 2 }, ports: [{ name: "x" }], note: null }),
  );
  expect(made["spec"]).toEqual({
    ...{ image: "web", replicas: 1, note: null },
    ...{ free: { wings: 2 }, ports: [{ name: "x", port: 80 }] },
  });
  expect(made["metadata"].generation).toBe(1);
  const merge = "application/merge-patch+json";
  expect(await sent("PATCH", `${path("apps")}/a`, { spec: { replicas: 2 } }, merge)).toMatchObject([
    200,
    { metadata: { generation: 2 }, spec: { replicas: 2, ports: [{ port: 80 }] } },
  ]);
  expect(await sent("PATCH", `${path("apps")}/a`, { metadata: { labels: { a: "b" } } }, merge)).toMatchObject([
    200,
    { metadata: { generation: 2, labels: { a: "b" } } },
  ]);
});

const unchecked =
  '<nil>: Invalid value: "null": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';
const wrong: readonly (readonly [what: string, spec: object, message: string])[] = [
  ["a missing field", { image: undefined }, `[spec.image: Required value, ${unchecked}]`],
  [
    "a wrong type",
    { replicas: "two" },
    `[spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer: "string", ${unchecked}]`,
  ],
  [
    "a null",
    { replicas: 1, max: null },
    `[spec.max: Invalid value: "null": spec.max in body must be of type integer: "null", ${unchecked}]`,
  ],
  [
    "a bound",
    { replicas: -1 },
    "spec.replicas: Invalid value: -1: spec.replicas in body should be greater than or equal to 0",
  ],
  [
    "a value that is none of the enum",
    { color: "green" },
    `[spec.color: Unsupported value: "green": supported values: "red", "blue", ${unchecked}]`,
  ],
  [
    "a format",
    { until: "noon" },
    `[spec.until: Invalid value: "noon": spec.until in body must be of type date-time: "noon", ${unchecked}]`,
  ],
  ["a duplicate key", { ports: [{ name: "a" }, { name: "a" }] }, 'spec.ports[1]: Duplicate value: {"name":"a"}'],
  ["a rule", { replicas: 3, max: 2 }, 'spec: Invalid value: "object": replicas must not exceed max'],
];
test.each(wrong)("%s is refused", async (_, body, message) => {
  expect(await sent("POST", path("apps"), object("wrong", body))).toMatchObject([
    422,
    { message: `App.example.com "wrong" is invalid: ${message}` },
  ]);
});

test("a quadratic rule is accepted where the schema limits the list", async () => {
  const limited = structuredClone(definition("bounded", "Bounded", [version("v1", true)]));
  const own = limited["spec"].versions[0].schema.openAPIV3Schema.properties.spec;
  own.properties.sizes = { type: "array", maxItems: 1_000, items: { type: "integer" } };
  own["x-kubernetes-validations"] = [{ rule: "self.sizes.all(x, self.sizes.all(y, y == x)) && self.sizes.isSorted()" }];
  expect(await sent("POST", `${definitions}?dryRun=All`, limited)).toMatchObject([201, {}]);
});

test("a rule about a change", async () => {
  const [status, body] = await sent(
    "PATCH",
    `${path("apps")}/a`,
    { spec: { image: "x" } },
    "application/merge-patch+json",
  );
  expect([status, body["message"]]).toEqual([
    422,
    'App.example.com "a" is invalid: spec: Invalid value: "object": image is immutable',
  ]);
});

test.each([
  ["is malformed", "self.max >", "Syntax error"],
  ["names no field", "self.most > 1", "undefined field 'most'"],
  ["has another type", "self.max + 1", "must evaluate to bool"],
  ["may take too long", "self.ports.all(a, self.ports.all(b, self.ports.all(c, a != b || b != c)))", "exceeds budget"],
])("a definition with an expression that %s is refused", async (_, rule, message) => {
  const bad = structuredClone(definition("bads", "Bad", [version("v1", true)]));
  bad["spec"].versions[0].schema.openAPIV3Schema.properties.spec["x-kubernetes-validations"] = [{ rule }];
  const [status, body] = await sent("POST", definitions, bad);
  expect([status, body["message"]]).toEqual([422, expect.stringContaining("x-kubernetes-validations[0].rule: ")]);
  expect(body["message"]).toContain(message);
});

test("strict decoding, strategic patches and unconditional updates as for custom resources", async () => {
  expect(await sent("POST", `${path("apps")}?fieldValidation=Strict`, object("strict", { wings: 2 }))).toMatchObject([
    400,
    { message: expect.stringContaining('strict decoding error: unknown field "spec.wings"') },
  ]);
  const strategic = await sent("PATCH", `${path("apps")}/a`, {}, "application/strategic-merge-patch+json");
  expect(strategic).toMatchObject([
    415,
    {
      message:
        "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
    },
  ]);
  expect(await sent("PUT", `${path("apps")}/a`, object("a"))).toMatchObject([
    422,
    {
      message: expect.stringContaining("metadata.resourceVersion: Invalid value: 0x0: must be specified for an update"),
    },
  ]);
});

test("status and scale", async () => {
  const merge = "application/merge-patch+json";
  const status = { status: { replicas: 2, selector: "a=b", phase: "Up", wings: 1 }, spec: { replicas: 9 } };
  const [, written] = await sent("PATCH", `${path("apps")}/a/status`, status, merge);
  expect(written).toMatchObject({ metadata: { generation: 2 }, spec: { replicas: 2 }, status: { phase: "Up" } });
  expect(written["status"]).not.toHaveProperty("wings");
  expect(await get(`${path("apps")}/a/scale`)).toMatchObject({
    ...{ kind: "Scale", spec: { replicas: 2 }, status: { replicas: 2, selector: "a=b" } },
  });
  expect(await sent("PATCH", `${path("apps")}/a/scale`, { spec: { replicas: 4 } }, merge)).toMatchObject([200, {}]);
  expect((await get(`${path("apps")}/a`))["spec"].replicas).toBe(4);
});

test("apply, tables and field selectors", async () => {
  const apply = await sent(
    "PATCH",
    `${path("apps")}/b?fieldManager=me`,
    object("b", { color: "red" }),
    "application/apply-patch+yaml",
  );
  expect(apply).toMatchObject([201, { spec: { color: "red", replicas: 1 } }]);
  const headers = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };
  const table = parsed(await send(`${path("apps")}?fieldSelector=spec.color=red`, { headers }));
  expect(table["columnDefinitions"].map((c: Body) => [c["name"], c["priority"]])).toEqual([
    ["Name", 0],
    ["Image", 0],
    ["Max", 1],
  ]);
  expect(table["rows"].map((row: Body) => row["cells"])).toEqual([["b", "web", null]]);
});

test("OpenAPI publishes the schema with its descriptions", async () => {
  const { components } = await get("/openapi/v3/apis/example.com/v1");
  const published = components.schemas["com.example.v1.App"];
  expect(published["x-kubernetes-group-version-kind"]).toEqual([{ group: "example.com", kind: "App", version: "v1" }]);
  expect(published.properties.spec.properties.image).toEqual({
    type: "string",
    minLength: 1,
    description: "What it runs.",
  });
});

test("a conflict of names is reported, and resolved when the other definition goes", async () => {
  const [status] = await sent("POST", definitions, definition("programs", "App", [version("v1", true)]));
  expect(status).toBe(201);
  const refused = await untilCondition("programs.example.com", "NamesAccepted", "False");
  expect(refused["status"].conditions).toMatchObject([
    { type: "NamesAccepted", reason: "ListKindConflict", message: '"AppList" is already in use' },
    { type: "Established", status: "False", reason: "NotAccepted" },
  ]);
  expect((await send(path("programs"))).status).toBe(404);
});

test("what was stored by an earlier schema, in another version, is read by the one of now", async () => {
  await define("boxes", "Box", [version("v1alpha1", true)]);
  await sent("POST", path("boxes", "v1alpha1"), { metadata: { name: "old" }, spec: { image: "x", color: "red" } });
  const crd = await get(`${definitions}/boxes.example.com`);
  const next = structuredClone(version("v1", true));
  next["schema"].openAPIV3Schema.properties.spec.properties.size = { type: "string", default: "small" };
  delete next["schema"].openAPIV3Schema.properties.spec.properties.color;
  next["selectableFields"] = [];
  crd["spec"].versions = [{ ...crd["spec"].versions[0], storage: false }, next];
  const [status, updated] = await sent("PUT", `${definitions}/boxes.example.com`, crd);
  expect([status, updated["status"]?.storedVersions]).toEqual([200, ["v1alpha1", "v1"]]);
  const watching = await open(`/apis/example.com/v1alpha1/boxes?watch=1&resourceVersion=0`).catch(() => undefined);
  watching?.destroy();
  for (;;) {
    const response = await send(`${path("boxes")}/old`);
    if (response.status === 404) continue;
    expect(parsed(response)).toMatchObject({ apiVersion: "example.com/v1", spec: { image: "x", size: "small" } });
    expect(parsed(response)["spec"]).not.toHaveProperty("color");
    break;
  }
  expect(await get(`${path("boxes", "v1alpha1")}/old`)).toMatchObject({
    ...{ apiVersion: "example.com/v1alpha1", spec: { image: "x", color: "red" } },
  });
  expect((await get("/apis/example.com"))["versions"].map((v: Body) => v["version"])).toEqual(["v1", "v1alpha1"]);
});

test("a deleted definition takes its objects with it, and waits for their finalizers", async () => {
  const held = { metadata: { name: "held", finalizers: ["example.com/hold"] }, spec: { image: "x" } };
  expect((await sent("POST", path("apps"), held))[0]).toBe(201);
  expect((await send(`${definitions}/apps.example.com`, { method: "DELETE" })).status).toBe(200);
  await untilCondition("apps.example.com", "Terminating", "True");
  expect(await sent("POST", path("apps"), object("late"))).toMatchObject([
    405,
    { message: "create not allowed while custom resource definition is terminating" },
  ]);
  const others = (): Promise<string[]> =>
    get(path("apps")).then(({ items }) => items.map((item: Body) => item["metadata"].name));
  for (let names = await others(); names.length > 1; names = await others());
  expect(await others()).toEqual(["held"]);
  await sent("PATCH", `${path("apps")}/held`, { metadata: { finalizers: null } }, "application/merge-patch+json");
  while ((await send(`${definitions}/apps.example.com`)).status !== 404);
  while ((await send(path("apps"))).status !== 404);
  await untilCondition("programs.example.com", "Established", "True");
});
