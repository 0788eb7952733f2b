// Adding a kind takes one definition: a toy kind is served, listed, watched, printed, validated and documented without
// other code.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { builtinKinds } from "../../../api/builtin/kinds.ts";
import { namespaces } from "../../../api/core/namespaces.ts";
import { define } from "../../../api/kinds.ts";
import type { ApiObject } from "../../../api/meta.ts";
import { invalid } from "../../../api/problems.ts";
import { requestHandler } from "../../../apiserver/http/handler.ts";
import type { ApiReply } from "../../../apiserver/request/request-response.ts";
import { resourcePath } from "../../../apiserver/request/path.ts";
import { clusterRegistry } from "../../../apiserver/cluster-registry.ts";
import { memoryStorage } from "../../../apiserver/storage/log.ts";
import { type KindRegistry, kindRegistry } from "../../../machinery/kind-registry.ts";
import { realWorld } from "../../../machinery/real-world.ts";

interface Toy extends ApiObject {
  readonly kind: "Toy";
  readonly spec: { readonly wheels: number };
}
const meta = { $ref: "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" };
const text = { type: "string" } as const;
const wheels = { type: "integer", format: "int32" } as const;
const toys = define<Toy>({
  group: "play.example.com",
  version: "v1",
  kind: "Toy",
  plural: "toys",
  scope: "Namespaced",
  published: "com.example.play.v1.Toy",
  schema: {
    type: "object",
    properties: { apiVersion: text, kind: text, metadata: meta, spec: { type: "object", properties: { wheels } } },
  },
  defaults: (d) => ({ ...d, spec: { ...d.spec, wheels: d.spec?.wheels ?? 4 } }),
  validate: (t) =>
    t.spec.wheels < 0 ? [invalid("spec.wheels", t.spec.wheels, "must be greater than or equal to 0")] : [],
  columns: [{ name: "Wheels", type: "integer", cell: (t) => t.spec.wheels }],
});

const world = realWorld(() => {});
const ranges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };
const server = () => requesting(kindRegistry([namespaces, toys]));
const requesting = (kinds: KindRegistry) => {
  const handle = requestHandler(clusterRegistry(memoryStorage(), world, { ...ranges, kinds }), kinds);
  const stop = new AbortController();
  return (method: string, url: string, body?: unknown, accept = "application/json"): Promise<ApiReply> => {
    const at = new URL(url, "https://x");
    const headers = {
      accept,
      "content-type": body && method === "PATCH" ? "application/merge-patch+json" : "application/json",
    };
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    return handle({
      method,
      path: at.pathname,
      place: resourcePath(at.pathname),
      query: at.searchParams,
      headers,
      body: bytes,
      user: { name: "me", groups: [] },
      signal: stop.signal,
    });
  };
};
const bodyOf = (response: ApiReply): any => ("body" in response ? JSON.parse(response.body.toString()) : undefined);
const root = "/apis/play.example.com/v1/namespaces/default/toys";

test("a toy kind is created, read, updated, listed, watched, printed, validated, documented and deleted", async () => {
  const send = server();
  await send("POST", "/api/v1/namespaces", { metadata: { name: "default" } });
  const made = await send("POST", root, { metadata: { name: "car" } });
  expect([made.status, bodyOf(made).spec.wheels, bodyOf(made).kind]).toEqual([201, 4, "Toy"]);
  const wrong = await send("PATCH", `${root}/car`, { spec: { wheels: -1 } });
  expect(bodyOf(wrong).message).toBe(
    'Toy.play.example.com "car" is invalid: spec.wheels: Invalid value: -1: must be greater than or equal to 0',
  );
  expect(bodyOf(await send("PATCH", `${root}/car`, { spec: { wheels: 3 } })).spec.wheels).toBe(3);
  const unknown = await send("POST", `${root}?fieldValidation=Strict`, { metadata: { name: "x" }, spec: { wings: 2 } });
  expect([unknown.status, bodyOf(unknown).message]).toEqual([
    400,
    'Toy in version "v1" cannot be handled as a Toy: strict decoding error: unknown field "spec.wings"',
  ]);
  const warned = await send("POST", root, { metadata: { name: "plane" }, spec: { wings: 2 } });
  expect([bodyOf(warned).spec, warned.headers?.["warning"]]).toEqual([
    { wheels: 4 },
    ['299 - "unknown field \\"spec.wings\\""'],
  ]);
  const table = bodyOf(await send("GET", root, undefined, "application/json;as=Table;v=v1;g=meta.k8s.io"));
  expect([table.columnDefinitions[0].name, table.rows.map((r: any) => r.cells)]).toEqual(["Wheels", [[3], [4]]]);
  const list = bodyOf(await send("GET", `${root}?limit=1`));
  expect([list.kind, list.items.length, list.metadata.remainingItemCount]).toEqual(["ToyList", 1, 1]);
  expect(bodyOf(await send("GET", "/apis/play.example.com/v1")).resources[0]).toMatchObject({
    name: "toys",
    kind: "Toy",
    namespaced: true,
  });
  const document = bodyOf(await send("GET", "/openapi/v3/apis/play.example.com/v1"));
  expect(document.components.schemas["com.example.play.v1.Toy"]["x-kubernetes-group-version-kind"][0].kind).toBe("Toy");
  const gone = bodyOf(await send("DELETE", `${root}/car`));
  expect(gone).toMatchObject({ status: "Success", details: { name: "car", kind: "toys", group: "play.example.com" } });
  const watch = await send("GET", `${root}?watch=1&allowWatchBookmarks=true`);
  const lines: any[] = [];
  if ("stream" in watch)
    for await (const line of watch.stream) {
      lines.push(JSON.parse(line.toString()));
      if (lines.length === 2) break;
    }
  expect(lines.map((l) => [l.type, l.object.metadata.name ?? l.object.metadata.annotations])).toEqual([
    ["ADDED", "plane"],
    ["BOOKMARK", { "k8s.io/initial-events-end": "true" }],
  ]);
});

test("an unknown kind is not found, and an unknown verb is not allowed", async () => {
  const send = server();
  expect((await send("GET", "/apis/play.example.com/v1/games")).status).toBe(404);
  expect((await send("PUT", "/api/v1/namespaces")).status).toBe(405);
  expect((await send("GET", "/nowhere")).status).toBe(404);
  expect((await send("GET", "/api/v1/namespaces?resourceVersion=x")).status).toBe(400);
  expect((await send("GET", "/api/v1/namespaces?resourceVersion=999999")).status).toBe(504);
  expect((await send("POST", "/api/v1/namespaces?dryRun=Some", {})).status).toBe(422);
});

test("a built-in kind is one file and one line of the table; no server code refers to it", async () => {
  const root = join(import.meta.dirname, "../../..");
  const table = readFileSync(join(root, "api/builtin/kinds.ts"), "utf8");
  expect(table.match(/\bvolumeAttributesClasses\b/g)).toHaveLength(2);
  const naming = globSync("{apiserver,machinery}/**/*.ts", { cwd: root }).filter((path) =>
    /volumeAttributesClasses|volumeattributesclasses|VolumeAttributesClass\b/.test(
      readFileSync(join(root, path), "utf8"),
    ),
  );
  // Roles are data: they give rights to single kinds.
  expect(naming.filter((path) => !path.startsWith("apiserver/bootstrap/roles/"))).toEqual([]);
  const kinds = kindRegistry(builtinKinds);
  const send = requesting(kinds);
  const at = "/apis/storage.k8s.io/v1/volumeattributesclasses";
  expect((await send("POST", at, { metadata: { name: "n" }, driverName: "d", parameters: { a: "b" } })).status).toBe(
    201,
  );
  expect(bodyOf(await send("PATCH", `${at}/n`, { metadata: { labels: { a: "b" } } })).metadata.labels).toEqual({
    a: "b",
  });
  expect(bodyOf(await send("GET", "/apis/storage.k8s.io/v1")).resources).toContainEqual(
    expect.objectContaining({ name: "volumeattributesclasses" }),
  );
});
