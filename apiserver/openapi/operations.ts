// The paths of a kind and their operations, named as Kubernetes names them. Pure.
import type { ResourceDefinition, Subresource } from "../../api/kinds.ts";
import { verbsOf } from "../discovery/discovery.ts";
import { subresources } from "../registry/subresources.ts";
import { connections } from "./connections.ts";
import { capital, type Operation, type Path, type Speaker, speakerOf } from "./paths.ts";
import type { GroupVersionKind } from "./schemas.ts";

const meta = "io.k8s.apimachinery.pkg.apis.meta.v1";
/** Schemas that operations of every kind speak of. */
export const published = {
  status: `${meta}.Status`,
  deleteOptions: `${meta}.DeleteOptions`,
  patch: `${meta}.Patch`,
  watchEvent: `${meta}.WatchEvent`,
} as const;

const writing = ["dryRun", "fieldManager", "fieldValidation"];
const selecting = ["fieldSelector", "labelSelector"];
const reading = ["resourceVersion", "resourceVersionMatch", "sendInitialEvents", "shardSelector", "timeoutSeconds"];
const listing = ["allowWatchBookmarks", "continue", ...selecting, "limit", ...reading, "watch"];
const deleting = [
  "dryRun",
  "gracePeriodSeconds",
  "ignoreStoreReadErrorWithClusterBreakingPotential",
  "orphanDependents",
  "propagationPolicy",
];
const emptying = ["continue", ...deleting, ...selecting, "limit", ...reading].toSorted();

/** `a Pod`, `an Event`, and Endpoints, of which there are always several. */
function withArticle(noun: string): string {
  if (noun.endsWith("s") && !noun.endsWith("ss")) return noun;
  return /^[AEIOU]/.test(noun) ? `an ${noun}` : `a ${noun}`;
}

type Draft = Omit<Operation, "tag" | "kind"> & { readonly kind?: GroupVersionKind };
const spoken = ({ tag, gvk }: Speaker, drafts: readonly (Draft | false)[]): readonly Operation[] =>
  drafts.flatMap((draft) => (draft === false ? [] : [{ kind: gvk, tag, ...draft }]));

function collection(s: Speaker, can: (verb: string) => boolean): readonly Operation[] {
  const { kind, published: schema } = s.r;
  const answers = { 200: schema, 201: schema, 202: schema };
  return spoken(s, [
    can("list") && {
      method: "get",
      id: s.id("list", s.scoped + kind),
      description: `list or watch objects of kind ${kind}`,
      action: "list",
      query: listing,
      answers: { 200: `${schema}List` },
      stream: can("watch"),
    },
    can("create") && {
      method: "post",
      id: s.id("create", s.scoped + kind),
      description: `create ${withArticle(kind)}`,
      action: "post",
      query: writing,
      body: schema,
      answers,
    },
    can("deletecollection") && {
      method: "delete",
      id: s.id("delete", `Collection${s.scoped}${kind}`),
      description: `delete collection of ${kind}`,
      action: "deletecollection",
      query: emptying,
      body: published.deleteOptions,
      answers: { 200: published.status },
    },
  ]);
}

/** Reading and changing an object, or one of its subresources. */
function changes(
  s: Speaker,
  can: (verb: string) => boolean,
  subresource?: { name: string; schema: string; gvk: GroupVersionKind },
) {
  const schema = subresource?.schema ?? s.r.published;
  const rest = s.scoped + s.r.kind + (subresource ? capital(subresource.name) : "");
  const what = `${subresource ? `${subresource.name} of ` : ""}the specified ${s.r.kind}`;
  const kind = subresource?.gvk ?? s.gvk;
  const both = { 200: schema, 201: schema };
  const to = (verb: string): { readonly id: string; readonly kind: GroupVersionKind } => ({
    id: s.id(verb, rest),
    kind,
  });
  return spoken(s, [
    can("get") && {
      ...to("read"),
      method: "get",
      description: `read ${what}`,
      action: "get",
      query: [],
      answers: { 200: schema },
    },
    can("update") && {
      ...to("replace"),
      method: "put",
      description: `replace ${what}`,
      action: "put",
      query: writing,
      body: schema,
      answers: both,
    },
    can("patch") && {
      ...to("patch"),
      method: "patch",
      description: `partially update ${what}`,
      action: "patch",
      query: [...writing, "force"],
      body: published.patch,
      answers: both,
    },
  ]);
}

const removal = (s: Speaker): readonly Operation[] =>
  spoken(s, [
    {
      method: "delete",
      id: s.id("delete", s.scoped + s.r.kind),
      description: `delete ${withArticle(s.r.kind)}`,
      action: "delete",
      query: deleting,
      body: published.deleteOptions,
      answers: { 200: published.status, 202: published.status },
    },
  ]);

/** The operations on a subresource, with bodies of the kind it speaks. */
function subresourceOperations(s: Speaker, name: Subresource): readonly Operation[] {
  const { verbs, speaks = s.r } = subresources[name];
  const { published: schema, group, version, kind } = speaks;
  const gvk = { group, version, kind };
  if (!verbs.includes("create"))
    return changes(s, (verb) => (verbs as readonly string[]).includes(verb), { name, schema, gvk });
  const rest = s.scoped + s.r.kind + capital(name);
  const answers = { 200: schema, 201: schema, 202: schema };
  const description = `create ${name} of ${withArticle(s.r.kind)}`;
  const create: Draft = {
    method: "post",
    id: s.id("create", rest),
    description,
    action: "post",
    query: writing,
    answers,
  };
  return spoken(s, [{ ...create, body: schema, kind: gvk }]);
}

/** The old way to watch: by a path of its own. */
function watches(s: Speaker, base: string, everywhere: string | undefined): readonly Path[] {
  const { r, root, scoped } = s;
  const old = (path: string, rest: string, parameters: readonly string[], action: string): Path => ({
    path: path.replace(root, `${root}/watch`),
    parameters: [...parameters, ...listing, "pretty"],
    operations: spoken(s, [
      {
        method: "get",
        id: s.id("watch", rest),
        description: `watch ${action === "watch" ? "" : "individual "}changes of ${r.kind}; deprecated: list with 'watch' instead`,
        action,
        query: [],
        answers: { 200: published.watchEvent },
        stream: true,
      },
    ]),
  });
  const inNamespace = scoped === "" ? [] : ["namespace"];
  return [
    old(base, `${scoped}${r.kind}List`, inNamespace, "watchlist"),
    old(`${base}/{name}`, scoped + r.kind, ["name", ...inNamespace], "watch"),
    ...(everywhere === undefined ? [] : [old(everywhere, `${r.kind}ListForAllNamespaces`, [], "watchlist")]),
  ];
}

/** What everything that may be done at a path takes, the path itself takes. */
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
  const s = speakerOf(r);
  const verbs = verbsOf(r);
  const can = (verb: string): boolean => verbs.includes(verb);
  const inNamespace = s.scoped === "" ? [] : ["namespace"];
  const base = s.scoped === "" ? `${s.root}/${r.plural}` : `${s.root}/namespaces/{namespace}/${r.plural}`;
  const everywhere = s.scoped === "" ? undefined : `${s.root}/${r.plural}`;
  const all = collection(s, can);
  const list = all.find(({ action }) => action === "list");
  const one = [...changes(s, can), ...(can("delete") ? removal(s) : [])];
  const whole: Path[] = [
    { path: base, parameters: [...inNamespace, "pretty"], operations: all },
    { path: `${base}/{name}`, parameters: ["name", ...inNamespace, "pretty"], operations: one },
  ];
  if (list && everywhere !== undefined) {
    const id = s.id("list", `${r.kind}ForAllNamespaces`);
    whole.push({ path: everywhere, parameters: ["pretty"], operations: [{ ...list, id }] });
  }
  const inside = r.subresources.flatMap(
    (name): readonly Path[] =>
      connections(s, `${base}/{name}`, name) ?? [
        {
          path: `${base}/{name}/${name}`,
          parameters: ["name", ...inNamespace, "pretty"],
          operations: subresourceOperations(s, name),
        },
      ],
  );
  const old = can("watch") ? watches(s, base, everywhere) : [];
  return [...whole, ...inside, ...old].filter(({ operations }) => operations.length > 0).map(withShared);
}
