// The paths of a kind and their operations as data, named as Kubernetes names them. Pure.
import type { ResourceDefinition, Subresource } from "../../api/kinds.ts";
import { verbsOf } from "../discovery/discovery.ts";
import { subresources } from "../registry/strategies/table.ts";
import type { GroupVersionKind } from "./schemas.ts";

const meta = "io.k8s.apimachinery.pkg.apis.meta.v1";
/** Schemas that operations of every kind refer to. */
export const published = {
  status: `${meta}.Status`,
  deleteOptions: `${meta}.DeleteOptions`,
  patch: `${meta}.Patch`,
  watchEvent: `${meta}.WatchEvent`,
} as const;

/** Methods as OpenAPI writes them. */
type Method = "get" | "put" | "post" | "delete" | "options" | "head" | "patch";

/** An operation on a path. */
export interface Operation {
  readonly method: Method;
  readonly id: string;
  readonly description: string;
  /** `x-kubernetes-action`; discovery has none. */
  readonly action?: string;
  readonly kind?: GroupVersionKind;
  /** Names of query parameters. */
  readonly query: readonly string[];
  /** Name of the schema of the body. */
  readonly body?: string | undefined;
  /** Schemas of the responses by their codes; undefined is plain text. */
  readonly responses: Readonly<Record<number, string | undefined>>;
  /** Whether the response may be a watch. */
  readonly stream?: boolean;
  readonly tag: string;
}
/** A path with parameters, and its operations. */
export interface Path {
  readonly path: string;
  /** Names of parameters that all operations have. Those in braces are part of the path, not names of objects. */
  readonly parameters: readonly string[];
  readonly operations: readonly Operation[];
}

/** The word with a capital first letter. */
export const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
/** `rbac.authorization.k8s.io` is RbacAuthorization in names of operations. */
export const groupWord = (group: string): string =>
  (group || "core")
    .replace(/\.k8s\.io$/, "")
    .split(".")
    .map(capital)
    .join("");
/** `rbacAuthorization_v1`; without a version, the group alone. */
export function tagOf(group: string, version?: string): string {
  const word = groupWord(group);
  return [word.charAt(0).toLowerCase() + word.slice(1), ...(version === undefined ? [] : [version])].join("_");
}
/** The path below which a version of a group is served. */
export const rootOf = (group: string, version: string): string =>
  group === "" ? `/api/${version}` : `/apis/${group}/${version}`;

const writing = ["dryRun", "fieldManager", "fieldValidation"];
const selecting = ["fieldSelector", "labelSelector"];
const reading = ["resourceVersion", "resourceVersionMatch", "sendInitialEvents", "shardSelector", "timeoutSeconds"];
const listing = ["allowWatchBookmarks", "continue", ...selecting, "limit", ...reading, "watch"];
const deleting = [
  ...["dryRun", "gracePeriodSeconds", "ignoreStoreReadErrorWithClusterBreakingPotential"],
  ...["orphanDependents", "propagationPolicy"],
];
const deletingCollection = ["continue", ...deleting, ...selecting, "limit", ...reading].toSorted();

/** `a Pod`, `an Event`, and Endpoints, which is a plural. */
function withArticle(noun: string): string {
  if (noun.endsWith("s") && !noun.endsWith("ss")) return noun;
  return /^[AEIOU]/.test(noun) ? `an ${noun}` : `a ${noun}`;
}

/**
 * What a verb of the API is in a document. The sentence has placeholders: `OF` for a subresource, `A KIND` for the kind
 * with its article.
 */
type Verb = readonly [method: Method, id: string, query: readonly string[], codes: readonly number[], sentence: string];
const verbs: Readonly<Record<string, Verb>> = {
  list: ["get", "list", listing, [200], "list or watch objects of kind KIND"],
  create: ["post", "create", writing, [200, 201, 202], "create OFA KIND"],
  deletecollection: ["delete", "delete", deletingCollection, [200], "delete collection of KIND"],
  get: ["get", "read", [], [200], "read OFthe specified KIND"],
  update: ["put", "replace", writing, [200, 201], "replace OFthe specified KIND"],
  patch: ["patch", "patch", [...writing, "force"], [200, 201], "partially update OFthe specified KIND"],
  delete: ["delete", "delete", deleting, [200, 202], "delete A KIND"],
};
/** The schema of a body that is not of the kind. */
const bodies: Readonly<Partial<Record<Method, string>>> = { delete: published.deleteOptions, patch: published.patch };
const ofCollection = ["list", "create", "deletecollection"];
const ofObject = ["get", "update", "patch", "delete"];

/** What all paths of a kind have in common. */
interface Common {
  readonly r: ResourceDefinition;
  readonly root: string;
  /** The path of its collection, in a namespace where it has one. */
  readonly base: string;
  /** Stands in the names of operations. */
  readonly scoped: "Namespaced" | "";
  readonly inNamespace: readonly string[];
  readonly tag: string;
  id(verb: string, rest: string): string;
}
function commonOf(r: ResourceDefinition): Common {
  const { group, version, scope } = r;
  const root = rootOf(group, version);
  const isNamespaced = scope === "Namespaced";
  return {
    r,
    root,
    base: `${root}/${isNamespaced ? "namespaces/{namespace}/" : ""}${r.plural}`,
    scoped: isNamespaced ? "Namespaced" : "",
    inNamespace: isNamespaced ? ["namespace"] : [],
    tag: tagOf(group, version),
    id: (verb, rest) => `${verb}${groupWord(group)}${capital(version)}${rest}`,
  };
}

const gvkOf = ({ group, version, kind }: GroupVersionKind): GroupVersionKind => ({ group, version, kind });

/** The operations of these verbs on a kind, or on one of its subresources. */
function operationsOf(
  { r, scoped, tag, id }: Common,
  served: readonly string[],
  subresource?: Subresource,
): readonly Operation[] {
  const { bodyKind = r } = subresource ? subresources[subresource] : {};
  const [name, of] = subresource ? [capital(subresource), `${subresource} of `] : ["", ""];
  return served.map((verb) => {
    const [method, word, query, codes, sentence] = verbs[verb]!;
    const response = method === "delete" ? published.status : bodyKind.published + (verb === "list" ? "List" : "");
    return {
      method,
      id: id(word, `${verb === "deletecollection" ? "Collection" : ""}${scoped}${r.kind}${name}`),
      description: sentence.replace("OF", of).replace("A KIND", withArticle(r.kind)).replace("KIND", r.kind),
      action: ofCollection.includes(verb) && verb !== "create" ? verb : method,
      kind: gvkOf(bodyKind),
      query,
      body: method === "get" ? undefined : (bodies[method] ?? bodyKind.published),
      responses: Object.fromEntries(codes.map((code) => [code, response])),
      stream: verb === "list" && verbsOf(r).includes("watch"),
      tag,
    };
  });
}

const proxied = ["delete", "get", "head", "options", "patch", "post", "put"] as const;

/** The paths of a subresource that is a connection: a session, a log or a proxy. Its responses are of any type. */
function connectionPaths({ r, base, scoped, inNamespace, tag, id }: Common, name: Subresource): readonly Path[] {
  const { options, parameters } = subresources[name].connects!;
  const common = { tag, kind: { ...gvkOf(r), kind: options(r) }, query: [], responses: { 200: undefined } };
  const rest = `${scoped}${r.kind}${capital(name)}`;
  const at = (end: string, operations: readonly Operation[], more: readonly string[] = []): Path => ({
    path: `${base}/{name}/${name}${end}`,
    parameters: ["name", ...inNamespace, ...parameters, ...more],
    operations,
  });
  if (name === "log") {
    const description = `read log of the specified ${r.kind}`;
    return [at("", [{ ...common, method: "get", id: id("read", rest), description, action: "get" }])];
  }
  const connecting = (end: string): readonly Operation[] =>
    (name === "proxy" ? proxied : (["get", "post"] as const)).map((method) => ({
      ...common,
      method,
      id: id("connect", `${capital(method)}${rest}${end}`),
      description: `connect ${method.toUpperCase()} requests to ${name} of ${r.kind}`,
      action: "connect",
    }));
  if (name !== "proxy") return [at("", connecting(""))];
  return [at("", connecting("")), at("/{path}", connecting("WithPath"), ["{path}"])];
}

function subresourcePaths(common: Common, name: Subresource): readonly Path[] {
  const { connects, verbs: own } = subresources[name];
  if (connects) return connectionPaths(common, name);
  const served = own.includes("create")
    ? ["create"]
    : ofObject.filter((verb) => (own as readonly string[]).includes(verb));
  const parameters = ["name", ...common.inNamespace, "pretty"];
  return [{ path: `${common.base}/{name}/${name}`, parameters, operations: operationsOf(common, served, name) }];
}

/** The deprecated paths that watch. */
function watchPaths({ r, root, base, scoped, inNamespace, tag, id }: Common): readonly Path[] {
  const at = (path: string, rest: string, parameters: readonly string[], action: string): Path => ({
    path: path.replace(root, `${root}/watch`),
    parameters: [...parameters, ...listing, "pretty"],
    operations: [
      {
        method: "get",
        id: id("watch", rest),
        description: `watch ${action === "watch" ? "" : "individual "}changes of ${r.kind}; deprecated: list with 'watch' instead`,
        action,
        kind: gvkOf(r),
        query: [],
        responses: { 200: published.watchEvent },
        stream: true,
        tag,
      },
    ],
  });
  return [
    at(base, `${scoped}${r.kind}List`, inNamespace, "watchlist"),
    at(`${base}/{name}`, scoped + r.kind, ["name", ...inNamespace], "watch"),
    ...(scoped ? [at(`${root}/${r.plural}`, `${r.kind}ListForAllNamespaces`, [], "watchlist")] : []),
  ];
}

/** Moves query parameters that all operations have to the path. */
function withShared({ path, parameters, operations }: Path): Path {
  const [first, ...others] = operations;
  const shared = (first?.query ?? []).filter((name) => others.every(({ query }) => query.includes(name)));
  return {
    path,
    parameters: [...parameters, ...shared].toSorted(),
    operations: operations.map((o) => ({ ...o, query: o.query.filter((name) => !shared.includes(name)) })),
  };
}

/** All paths of a kind. */
export function pathsOf(r: ResourceDefinition): readonly Path[] {
  const common = commonOf(r);
  const { root, base, inNamespace, scoped, id } = common;
  const verbsOfKind = verbsOf(r);
  const served = (verbs: readonly string[]): readonly Operation[] =>
    operationsOf(
      common,
      verbs.filter((verb) => verbsOfKind.includes(verb)),
    );
  const everywhere = served(scoped ? ["list"] : []).map((list) => ({
    ...list,
    id: id("list", `${r.kind}ForAllNamespaces`),
  }));
  const all: readonly Path[] = [
    { path: base, parameters: [...inNamespace, "pretty"], operations: served(ofCollection) },
    { path: `${base}/{name}`, parameters: ["name", ...inNamespace, "pretty"], operations: served(ofObject) },
    { path: `${root}/${r.plural}`, parameters: ["pretty"], operations: everywhere },
    ...r.subresources.flatMap((name) => subresourcePaths(common, name)),
    ...(verbsOfKind.includes("watch") ? watchPaths(common) : []),
  ];
  return all.filter(({ operations }) => operations.length > 0).map(withShared);
}
