// Names that the server knows: types, objects of a type, containers.
import type { Pod } from "../../api/generated/types.ts";
import type { ObjectMeta } from "../../api/meta.ts";
import { containersOf } from "../client/chosen-container.ts";
import { apiVersionOf, isPreferred, pathOf } from "../client/resources.ts";
import { type Session, session } from "../client/session.ts";
import { targetPath, targetsOf } from "../client/targets.ts";
import { namedField, schemaOf } from "../describe/kind-schema.ts";
import { schemaAt } from "../describe/schema-text.ts";
import { commaSeparated, type Line, nothing, type Offer, oneOf, type Source, words } from "./offer.ts";

/** Connects without reading the manifests of the line, among which may be standard input, and without any output. */
const scopeOf = ({ flags }: Line): Promise<Session> => {
  const silent = {
    quiet: true,
    v: 0,
    matchServerVersion: false,
    filename: [],
    kustomize: "",
    requestTimeout: "1500ms",
  };
  return session({ ...flags, ...silent });
};

/** Types that can be read, such as `deployments.apps`, each once. */
async function readableTypes(line: Line): Promise<readonly string[]> {
  const all = await (await scopeOf(line)).mapper.all();
  return all
    .filter((r) => r.verbs.includes("get") && isPreferred(r, all))
    .map(({ plural, group }) => (group === "" ? plural : `${plural}.${group}`));
}
export const types: Source = async (line) => words(await readableTypes(line));

/** Metadata is enough, and smaller than objects. */
const accept = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json";

/** The names of all objects of a type, of several separated by commas, or of a category. */
async function namesOf(line: Line, typeNames: string): Promise<readonly string[]> {
  const { api, mapper, namespace } = await scopeOf(line);
  const isEverywhere = line.flags["allNamespaces"] === true;
  const lists = (await mapper.allNamed(typeNames)).map(async (resource) => {
    const path = pathOf(resource, isEverywhere ? undefined : namespace);
    const { body } = await api.request<{ readonly items: readonly { readonly metadata: ObjectMeta }[] }>({
      path,
      accept,
    });
    return body.items.map(({ metadata }) => metadata.name);
  });
  return [...new Set((await Promise.all(lists)).flat())];
}

/** Names of a type, without those that are arguments already. */
export const namesOfType =
  (type: string): Source =>
  async (line) =>
    words((await namesOf(line, type)).filter((name) => !line.args.includes(name)));

/** The first argument only, and nothing after it. */
export const first =
  (source: Source): Source =>
  (line) =>
    line.args.length === 0 ? source(line) : nothing;

/** `TYPE/NAME` for a word that contains the slash. */
async function pairs(line: Line): Promise<Offer> {
  const [type = ""] = line.toComplete.split("/", 1);
  const all = (await namesOf(line, type)).map((name) => `${type}/${name}`);
  return words(all.filter((pair) => !line.args.includes(pair)));
}

/** `TYPE NAME...` and `TYPE/NAME...`, of these types or of all. */
export const objects =
  (...only: readonly string[]): Source =>
  async (line) => {
    const [type] = line.args;
    if (line.toComplete.includes("/")) return pairs(line);
    if (type !== undefined && !type.includes("/")) return namesOfType(type)(line);
    const offered = only.length > 0 ? oneOf(...only) : types;
    if (type === undefined) return commaSeparated(offered)(line);
    const { candidates } = await offered(line);
    return words(candidates.map(({ value }) => `${value}/`));
  };

const podTypes = "daemonsets deployments pods jobs replicasets replicationcontrollers services statefulsets".split(" ");

/** A pod, or a workload whose pods are meant. */
export const podsOrWorkloads: Source = async (line) =>
  line.toComplete.includes("/")
    ? pairs(line)
    : words([...(await namesOf(line, "pods")), ...podTypes.map((type) => `${type}/`)]);

/** The containers of the object that the arguments name; without a type, it is a pod. */
async function containerNames(line: Line): Promise<readonly string[]> {
  const isTyped = line.path.startsWith("set ");
  const scope = await scopeOf(line);
  const args = line.args.slice(0, isTyped && !line.args[0]?.includes("/") ? 2 : 1);
  const [target] = await targetsOf(scope, args, {}, isTyped ? {} : { defaultType: "pods" });
  const { spec } = await scope.api.get<Pod & { readonly spec: { readonly template?: Pod } }>(targetPath(target!));
  return containersOf(spec.template ?? { spec });
}
export const containers: Source = async (line) => words(await containerNames(line));

/** The arguments of `logs`: a pod or workload, then a container. */
export const podThenContainer: Source = (line) =>
  line.args.length === 0 ? podsOrWorkloads(line) : line.args.length === 1 ? containers(line) : nothing;

/** Objects with a pod template. */
export const podTemplates = objects(
  "cronjobs",
  "daemonsets",
  "deployments",
  "pods",
  "replicasets",
  "replicationcontrollers",
  "statefulsets",
);

/** The arguments of `set image`: objects with a pod template, then `CONTAINER=`. */
export const templatesThenImages: Source = async (line) => {
  const isNamed = line.args.length > 1 || line.args[0]?.includes("/");
  if (!isNamed || line.toComplete.includes("/")) return podTemplates(line);
  return words((await containerNames(line)).map((name) => `${name}=`));
};

/** A type, and then the fields of its kind: `pods.spec.containers`. */
export const fields: Source = async (line) => {
  const parent = line.toComplete.slice(0, line.toComplete.lastIndexOf(".") + 1);
  if (parent === "") return types(line);
  const { api, mapper } = await scopeOf(line);
  const [resource, path] = await namedField(parent, mapper);
  const [root, schemas] = await schemaOf(resource, api);
  const schema = schemaAt(root, path, schemas);
  if ("missing" in schema) return types(line);
  const names = Object.keys(schemas.element(schema).properties ?? {});
  return words([...(await readableTypes(line)), ...names.map((name) => parent + name)]);
};

/** Groups of the server; `versions` with a version, such as `apps/v1`. */
export const groups =
  (versions: boolean): Source =>
  async (line) => {
    const all = await (await scopeOf(line)).mapper.all();
    return words([...new Set(all.map((r) => (versions ? apiVersionOf(r) : r.group)))].filter((name) => name !== ""));
  };
