// The OpenAPI documents are compared with the official client, which is generated from Kubernetes' document: paths,
// names, parameters, bodies and responses of all operations.
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { builtinKinds } from "../../../api/builtin/kinds.ts";
import { servedGroups } from "../../../apiserver/discovery/order.ts";
import { readAnnotations } from "../../../apiserver/openapi/schemas.ts";
import { chapters, documentV2, documentV3 } from "../../../apiserver/openapi/documents.ts";
import { encodeDocument } from "../../../apiserver/openapi/protobuf.ts";
import { bytesAt, fieldsOf, textAt } from "../../../apiserver/protobuf/decode.ts";

const client = join(import.meta.dirname, "../../../node_modules/@kubernetes/client-node/dist/gen/apis");

/** Operations of a document: name and query parameters by path and method. */
interface OperationSummary {
  readonly id: string;
  readonly query: readonly string[];
}

/** Operations of the client. Its group name is in the class, not in the operation. */
function clientOperations(): ReadonlyMap<string, OperationSummary> {
  const all = globSync(["*V{1,2,1beta1}Api.js", "SchedulingV1alpha2Api.js"], { cwd: client }).flatMap((file) => {
    const word = basename(file, "Api.js");
    const methods = readFileSync(join(client, file), "utf8")
      .split(/\n {4}async (?=\w+\()/)
      .slice(1);
    return methods.map((source) => {
      const [, path = ""] = /localVarPath = '([^']+)'/.exec(source) ?? [];
      const [, method = ""] = /HttpMethod\.(\w+)\)/.exec(source) ?? [];
      const query = [...source.matchAll(/setQueryParam\("(\w+)"/g)].map(([, name]) => name!);
      const [, name = ""] = /^(\w+)\(/.exec(source) ?? [];
      const verb = /^(get|list|create|read|replace|patch|connect|delete)/.exec(name)![0];
      return [
        `${method.toLowerCase()} ${path}`,
        { id: `${verb}${word}${name.slice(verb.length)}`, query: [...new Set(query)].toSorted() },
      ] as const;
    });
  });
  return new Map(all);
}

const methods = ["get", "put", "post", "delete", "options", "head", "patch"];
function documentOperations(document: any): ReadonlyMap<string, OperationSummary> {
  return new Map(
    Object.entries<any>(document.paths).flatMap(([path, item]) =>
      methods
        .filter((method) => item[method])
        .map((method) => {
          const parameters = [...(item.parameters ?? []), ...(item[method].parameters ?? [])];
          const query = parameters.filter((p: any) => p.in === "query").map((p: any) => p.name);
          return [`${method} ${path}`, { id: item[method].operationId, query: query.toSorted() }] as const;
        }),
    ),
  );
}

const served = servedGroups(builtinKinds);
let v3: any[];
let v2: any;
beforeAll(async () => {
  const annotations = await readAnnotations();
  v3 = chapters(served).map((chapter) => documentV3(chapter, builtinKinds, annotations));
  v2 = documentV2(chapters(served), builtinKinds, annotations);
});

/** Whether a kind of the table serves a path. */
function isServed(at: string): boolean {
  const path = at.replace(/^\w+ /, "").replace("namespaces/{namespace}/", "");
  return builtinKinds.some((r) => {
    const base = `${r.group === "" ? "/api/v1" : `/apis/${r.group}/${r.version}`}/${r.plural}`;
    const parts = r.subresources.map((part) => `${base}/{name}/${part}`);
    return [base, `${base}/{name}`, ...parts].includes(path);
  });
}

test("the documented operations of every kind are those of the client", () => {
  const known = clientOperations();
  const documented = documentOperations({ paths: Object.assign({}, ...v3.map((document) => document.paths)) });
  const operations = [...documented].filter(
    ([at]) => !/\/watch\/|(metrics|snapshot\.storage)\.k8s\.io| \/apis?\/([^/]*\/)?$/.test(at),
  );
  expect(operations.filter(([at]) => !known.has(at)).map(([at]) => at)).toEqual([]);
  for (const [at, operation] of operations) expect([at, operation]).toEqual([at, known.get(at)]);
  const missing = [...known.keys()].filter((at) => isServed(at) && !documented.has(at));
  expect(missing).toEqual([]);
});

test("OpenAPI v2 and v3 document the same operations", () => {
  const all = documentOperations({ paths: Object.assign({}, ...v3.map((document) => document.paths)) });
  expect(documentOperations(v2)).toEqual(all);
});

function references(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    name === "$ref" && typeof inner === "string" ? [inner] : references(inner),
  );
}
test("every reference resolves", () => {
  for (const document of v3) {
    const known = Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`);
    expect(new Set(references(document)).difference(new Set(known))).toEqual(new Set());
  }
  const known = Object.keys(v2.definitions).map((name) => `#/definitions/${name}`);
  expect(new Set(references(v2)).difference(new Set(known))).toEqual(new Set());
});

test("a field has description, enum, default and merge keys", () => {
  const core = v3.find((document) => document.paths["/api/v1/pods"]).components.schemas;
  const of = (type: string): any => core[`io.k8s.api.core.v1.${type}`].properties;
  expect(of("Container").imagePullPolicy).toMatchObject({ enum: ["Always", "IfNotPresent", "Never"], type: "string" });
  expect(of("Container").imagePullPolicy.description).toMatch(/Possible enum values:\n - `"Always"`/);
  expect(of("ContainerPort").protocol).toMatchObject({ default: "TCP", enum: ["SCTP", "TCP", "UDP"] });
  expect(of("Container").name).toMatchObject({ default: "", type: "string" });
  expect(of("PodSpec").containers).toMatchObject({
    items: { allOf: [{ $ref: "#/components/schemas/io.k8s.api.core.v1.Container" }], default: {} },
    "x-kubernetes-list-map-keys": ["name"],
    "x-kubernetes-list-type": "map",
    "x-kubernetes-patch-merge-key": "name",
    "x-kubernetes-patch-strategy": "merge",
  });
  const quantity = "#/components/schemas/io.k8s.apimachinery.pkg.api.resource.Quantity";
  expect(of("ResourceRequirements").limits.additionalProperties).toEqual({ $ref: quantity });
  expect(of("PodSpec").affinity.description).toMatch(/\w+/);
  expect(core["io.k8s.api.core.v1.Pod"]["x-kubernetes-group-version-kind"]).toEqual([
    { group: "", kind: "Pod", version: "v1" },
  ]);
  const pod = v2.definitions["io.k8s.api.core.v1.PodSpec"].properties.affinity;
  expect(pod).toMatchObject({ $ref: "#/definitions/io.k8s.api.core.v1.Affinity" });
});

test("the Protocol Buffers form has the same content", () => {
  const bytes = encodeDocument(v2);
  expect(textAt(bytes, 1)).toBe("2.0");
  const named = (message: Uint8Array, number: number): ReadonlyMap<string, Uint8Array> =>
    new Map(
      [...fieldsOf(message)]
        .filter((field) => field.number === number)
        .map(({ value }) => [textAt(value as Uint8Array, 1), bytesAt(value as Uint8Array, 2)!]),
    );
  const paths = named(bytesAt(bytes, 8)!, 2);
  expect([...paths.keys()]).toEqual(Object.keys(v2.paths));
  const patch = bytesAt(paths.get("/apis/apps/v1/namespaces/{namespace}/deployments/{name}")!, 8)!;
  expect(textAt(patch, 5)).toBe("patchAppsV1NamespacedDeployment");
  const kind = named(patch, 13).get("x-kubernetes-group-version-kind")!;
  expect(JSON.parse(textAt(kind, 2))).toEqual({ group: "apps", kind: "Deployment", version: "v1" });
  const definitions = named(bytesAt(bytes, 9)!, 1);
  expect([...definitions.keys()]).toEqual(Object.keys(v2.definitions));
  const fields = named(bytesAt(definitions.get("io.k8s.api.core.v1.Container")!, 25)!, 1);
  expect(textAt(fields.get("imagePullPolicy")!, 4)).toBe(
    v2.definitions["io.k8s.api.core.v1.Container"].properties.imagePullPolicy.description,
  );
});

test("common parameters are documented at the path", () => {
  const named = (list: readonly any[] = []): readonly string[] => list.map((p) => p.name);
  const bindings = v2.paths["/api/v1/namespaces/{namespace}/bindings"];
  const writing = ["dryRun", "fieldManager", "fieldValidation"];
  expect(named(bindings.parameters)).toEqual([...writing, "namespace", "pretty"]);
  expect(named(bindings.post.parameters)).toEqual(["body"]);
  const binding = v2.paths["/api/v1/namespaces/{namespace}/pods/{name}/binding"];
  expect(named(binding.parameters)).toEqual([...writing, "name", "namespace", "pretty"]);
  expect(binding.parameters.find((p: any) => p.name === "name").description).toBe("name of the Binding");
  const pod = v2.paths["/api/v1/namespaces/{namespace}/pods/{name}"];
  expect(named(pod.parameters)).toEqual(["name", "namespace", "pretty"]);
  expect(named(pod.put.parameters)).toEqual(["body", ...writing]);
});
