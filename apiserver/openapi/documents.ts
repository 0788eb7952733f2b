// OpenAPI documents from paths and schemas: version 3 has one per group version, version 2 one for everything. Pure.
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { ServedVersion } from "../discovery/order.ts";
import { type Operation, type Path, capital, groupWord, pathsOf, published, rootOf, tagOf } from "./operations.ts";
import { subresources } from "../registry/strategies/table.ts";
import { type Annotations, type Dialect, type GroupVersionKind, definitions, referenceTo } from "./schemas.ts";
import { version } from "../discovery/version.ts";

type Json = Readonly<Record<string, unknown>>;

const words = (text: string): readonly string[] => text.split(" ");
const integers = words("gracePeriodSeconds limit limitBytes ports sinceSeconds tailLines timeoutSeconds");
const booleans = [
  ...words(
    "allowWatchBookmarks follow force ignoreStoreReadErrorWithClusterBreakingPotential orphanDependents previous",
  ),
  ...words("insecureSkipTLSVerifyBackend sendInitialEvents stderr stdin stdout timestamps tty watch"),
];
const patchTypes = ["json-patch+json", "merge-patch+json", "apply-patch+yaml", "strategic-merge-patch+json"];
const json = "application/json";

/** How parameters, bodies and responses are written in one version of OpenAPI. */
interface Writer {
  readonly dialect: Dialect;
  readonly annotations: Annotations;
}

function parameter({ dialect, annotations }: Writer, name: string, kind: string, place: "query" | "path"): Json {
  const own = place === "path" && name === "name" ? `name of the ${kind}` : undefined;
  const text = own ?? annotations.parameters[`${kind}.${name}`] ?? annotations.parameters[name];
  const type = integers.includes(name) ? "integer" : booleans.includes(name) ? "boolean" : "string";
  const shape = { type, uniqueItems: true };
  return {
    ...(text !== undefined && { description: text }),
    in: place,
    name,
    ...(place === "path" && { required: true }),
    ...(dialect === "v3" ? { schema: shape } : shape),
  };
}

const inPath = ["name", "namespace", "{path}"];
const pathParameter = (w: Writer, name: string, kind: string): Json =>
  inPath.includes(name) ? parameter(w, name.replace(/[{}]/g, ""), kind, "path") : parameter(w, name, kind, "query");

const produced = ({ stream }: Operation): readonly string[] => (stream ? [json, `${json};stream=watch`] : [json]);
const consumed = ({ method }: Operation): readonly string[] =>
  method === "patch" ? patchTypes.map((type) => `application/${type}`) : ["*/*"];
const contentOf = (types: readonly string[], schema: Json): Json =>
  Object.fromEntries(types.map((type) => [type, { schema }]));

const descriptions: Readonly<Record<string, string>> = { 200: "OK", 201: "Created", 202: "Accepted" };

function responses({ dialect }: Writer, operation: Operation): Json {
  const types = operation.action === "connect" ? ["*/*"] : produced(operation);
  const byCode = Object.entries(operation.responses).map(([code, name]) => {
    const schema = name === undefined ? { type: "string" } : { $ref: referenceTo(dialect, name) };
    const description = descriptions[code];
    return [code, { description, ...(dialect === "v3" ? { content: contentOf(types, schema) } : { schema }) }];
  });
  return { ...Object.fromEntries(byCode), 401: { description: "Unauthorized" } };
}

function operationOf(w: Writer, operation: Operation): Json {
  const { id, description, action, kind, query, body, method, tag } = operation;
  const about = method === "patch" ? "patch" : (kind?.kind ?? "");
  const parameters = query.map((name) => parameter(w, name, about, "query"));
  const schema = body === undefined ? undefined : { $ref: referenceTo(w.dialect, body) };
  const required = method === "delete" ? {} : { required: true };
  const inBody = schema && w.dialect === "v2" ? [{ in: "body", name: "body", ...required, schema }] : [];
  const all = [...inBody, ...parameters];
  return {
    description,
    operationId: id,
    ...(all.length > 0 && { parameters: all }),
    ...(schema &&
      w.dialect === "v3" && { requestBody: { content: contentOf(consumed(operation), schema), ...required } }),
    responses: responses(w, operation),
    ...(w.dialect === "v2" && { consumes: consumed(operation), produces: produced(operation), schemes: ["https"] }),
    tags: [tag],
    ...(action && { "x-kubernetes-action": action }),
    ...(kind && { "x-kubernetes-group-version-kind": kind }),
  };
}

function pathItem(w: Writer, { parameters, operations }: Path): Json {
  const kind = operations[0]?.kind?.kind ?? "";
  return {
    ...Object.fromEntries(operations.map((operation) => [operation.method, operationOf(w, operation)])),
    ...(parameters.length > 0 && { parameters: parameters.map((name) => pathParameter(w, name, kind)) }),
  };
}

const schemasIn = (paths: readonly Path[]): ReadonlySet<string> =>
  new Set(
    paths.flatMap(({ operations }) =>
      operations.flatMap(({ body, responses }) =>
        [body, ...Object.values(responses)].filter((name): name is string => name !== undefined),
      ),
    ),
  );

const meta = "io.k8s.apimachinery.pkg.apis.meta.v1";
/** A path of discovery. */
const informationPath = (path: string, id: string, tag: string, what: string, schema: string): Path => ({
  path,
  parameters: [],
  operations: [
    { method: "get", id, tag, description: `get ${what}`, query: [], responses: { 200: `${meta}.${schema}` } },
  ],
});

/** A document of `/openapi/v3`: its paths, and the version whose kinds they serve. */
export interface Chapter {
  /** `api/v1`, `apis/apps`, `apis/apps/v1`, … */
  readonly place: string;
  readonly paths: readonly Path[];
  readonly served?: ServedVersion;
}

/** All chapters, ordered by their places. */
export function chapters(groups: readonly (readonly [string, readonly ServedVersion[]])[]): readonly Chapter[] {
  const ofGroups = groups.flatMap(([group, versions]): readonly Chapter[] => {
    const word = groupWord(group);
    const root = group === "" ? "api" : `apis/${group}`;
    const tag = tagOf(group);
    const head =
      group === ""
        ? informationPath("/api/", "getCoreAPIVersions", tag, "available API versions", "APIVersions")
        : informationPath(`/${root}/`, `get${word}APIGroup`, tag, "information of a group", "APIGroup");
    const each = versions.map((served) => {
      const id = `get${word}${capital(served.version)}APIResources`;
      const at = `${rootOf(group, served.version)}/`;
      const resources = informationPath(at, id, tagOf(group, served.version), "available resources", "APIResourceList");
      return { place: `${root}/${served.version}`, paths: [resources, ...served.kinds.flatMap(pathsOf)], served };
    });
    return [{ place: root, paths: [head] }, ...each];
  });
  const list = informationPath("/apis/", "getAPIVersions", "apis", "available API versions", "APIGroupList");
  return [{ place: "apis", paths: [list] }, ...ofGroups].toSorted((a, b) => (a.place < b.place ? -1 : 1));
}

/** Kinds of version 1 of no group. */
const ofNoGroup = ["APIGroup", "APIGroupList", "APIResourceList", "APIVersions", "Status"].map(
  (kind) => `${meta}.${kind}`,
);
/** Kinds of every version of every group. */
const everywhere = [`${meta}.DeleteOptions`, `${meta}.WatchEvent`];
/** Kinds of the bodies of subresources, which are in no registry. */
const ofSubresources = Object.values(subresources).flatMap(({ bodyKind }) => (bodyKind ? [bodyKind] : []));

/**
 * The kinds of a published schema (`x-kubernetes-group-version-kind`), by its name. A document of one group
 * version names that one alone.
 */
function kindsOfSchemas(
  kinds: readonly ResourceDefinition[],
  of?: ServedVersion,
): (name: string) => readonly GroupVersionKind[] {
  const known = new Map<string, GroupVersionKind>(
    ofSubresources.map(({ published, group, kind, version }) => [published, { group, kind, version }]),
  );
  for (const { group, version, kind, published } of kinds) {
    known.set(published, { group, kind, version });
    known.set(`${published}List`, { group, kind: `${kind}List`, version });
  }
  for (const name of ofNoGroup) known.set(name, { group: "", kind: name.slice(meta.length + 1), version: "v1" });
  const versions = new Map(kinds.map(({ group, version }) => [`${group}/${version}`, { group, version }]));
  return (name) => {
    if (everywhere.includes(name)) {
      const kind = name.slice(meta.length + 1);
      const all = of ? [of] : [...versions.values()];
      return all.map(({ group, version }) => ({ group, kind, version }));
    }
    const one = known.get(name);
    return one ? [one] : [];
  };
}

const info = { title: "Kubernetes", version: version.gitVersion };
const bearer = {
  BearerToken: { description: "Bearer Token authentication", in: "header", name: "authorization", type: "apiKey" },
};

function schemasOf(w: Writer, paths: readonly Path[], kinds: readonly ResourceDefinition[], of?: ServedVersion): Json {
  const extra = paths.some(({ operations }) => operations.some(({ stream }) => stream)) ? [published.watchEvent] : [];
  const all = definitions([...schemasIn(paths), ...extra], kinds, w.annotations, w.dialect);
  const named = kindsOfSchemas(kinds, of);
  return Object.fromEntries(
    Object.entries(all).map(([name, schema]) => {
      const gvks = named(name);
      return [name, gvks.length > 0 ? { ...schema, "x-kubernetes-group-version-kind": gvks } : schema];
    }),
  );
}
const pathsIn = (w: Writer, paths: readonly Path[]): Json =>
  Object.fromEntries(
    paths.toSorted((a, b) => (a.path < b.path ? -1 : 1)).map((path) => [path.path, pathItem(w, path)]),
  );

/** One chapter as a document of version 3. */
export function documentV3(
  { paths, served }: Chapter,
  kinds: readonly ResourceDefinition[],
  annotations: Annotations,
): Json {
  const w: Writer = { dialect: "v3", annotations };
  const schemas = schemasOf(w, paths, kinds, served);
  return { components: { schemas, securitySchemes: bearer }, info, openapi: "3.0.0", paths: pathsIn(w, paths) };
}

/** Everything as a document of version 2. */
export function documentV2(
  all: readonly Chapter[],
  kinds: readonly ResourceDefinition[],
  annotations: Annotations,
): Json {
  const w: Writer = { dialect: "v2", annotations };
  const paths = all.flatMap((chapter) => chapter.paths);
  const security = [{ BearerToken: [] }];
  return {
    definitions: schemasOf(w, paths, kinds),
    info,
    paths: pathsIn(w, paths),
    security,
    securityDefinitions: bearer,
    swagger: "2.0",
  };
}
