// What the arguments and files of a command refer to, by the rules of kubectl's resource builder: `TYPE NAME...`,
// `TYPE/NAME...`, `TYPE,TYPE`, selectors, `--all`, and manifests.
import type { ApiObject } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";
import { similar } from "../program/suggestions.ts";
import type { Connection } from "./connection.ts";
import { definedKinds } from "./defined-kinds.ts";
import type { Mapper } from "./discovery.ts";
import type { FileFlags, ManifestError, ManifestObject } from "./manifests.ts";
import { didYouMean, isCommonType } from "./named-objects.ts";
import { apiVersionOf, pathOf, query, type Resource, resourceOfKind } from "./resources.ts";

/** The flags and arguments that refer to objects; the names of the fields are those of the flags. */
export interface TargetFlags extends FileFlags {
  readonly selector?: string;
  readonly fieldSelector?: string;
  readonly all?: boolean;
  readonly allNamespaces?: boolean;
}
export interface TargetRules {
  /** The type of arguments without one, as for `logs NAME`. */
  readonly defaultType?: string;
  /** Whether a type without a name means all of its objects, as for `get`. */
  readonly listsTypes?: boolean;
  /** The types that the command is about, for suggestions; all by default. */
  readonly suggested?: readonly string[];
}
/** Where a command looks: the server's resources, and the namespace. */
export interface Scope {
  readonly mapper: Mapper;
  readonly namespace: string;
  /** Whether --namespace is set: manifests may then name no other. */
  readonly namespaceGiven: boolean;
}

/** One object, all objects of a list, or one object of a manifest. */
export interface Target {
  readonly resource: Resource;
  /** Undefined for cluster-scoped resources, and for all namespaces. */
  readonly namespace: string | undefined;
  /** Undefined for a list, and for manifests with generateName. */
  readonly name: string | undefined;
  readonly selection?: { readonly labelSelector: string | undefined; readonly fieldSelector: string | undefined };
  readonly manifest?: ManifestObject;
}

const noResources = `You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'`;

/** The error of a kind that is not served, with the version or kind that was probably meant. */
async function noKind(mapper: Mapper, apiVersion: string, kind: string): Promise<string> {
  const all = await mapper.all();
  const elsewhere = all.find((r) => r.kind === kind);
  const near = similar(
    kind,
    all.flatMap((r) => (apiVersionOf(r) === apiVersion ? r.kind : [])),
  )[0];
  const meant = elsewhere ? apiVersionOf(elsewhere) : near;
  const advice = meant === undefined ? "" : `, did you mean "${meant}"?`;
  return `no matches for kind "${kind}" in version "${apiVersion}"${advice}`;
}

async function manifestTarget(
  scope: Scope,
  manifest: ManifestObject,
  defined: readonly Resource[],
): Promise<Target | ManifestError> {
  const { apiVersion, kind, metadata } = manifest.object;
  const resource = resourceOfKind(apiVersion, kind, defined) ?? (await scope.mapper.ofKind(apiVersion, kind));
  const { file } = manifest;
  if (!resource) return { file, line: manifest.lineOf("kind"), message: await noKind(scope.mapper, apiVersion, kind) };
  const { namespace, name } = metadata;
  if (resource.namespaced && namespace && scope.namespaceGiven && namespace !== scope.namespace) {
    const message = `the namespace from the provided object "${namespace}" does not match the namespace "${scope.namespace}". You must pass '--namespace=${namespace}' to perform this operation.`;
    return { file, line: manifest.lineOf("metadata.namespace"), message };
  }
  const own = resource.namespaced ? (namespace ?? scope.namespace) : undefined;
  return { resource, namespace: own, name, manifest };
}

/** The objects of the manifests. Throws CliError for all errors in them at once. */
export async function manifestTargets(scope: Scope, flags: TargetFlags): Promise<readonly Target[]> {
  // Commands without manifests need no YAML parser.
  const { manifestsOf, refuse } = await import("./manifests.ts");
  const objects = await manifestsOf(flags);
  // Their kinds may not be served before the definitions are applied.
  const defined = definedKinds(objects);
  const targets = await Promise.all(objects.map((object) => manifestTarget(scope, object, defined)));
  refuse(targets.filter((t) => "message" in t));
  return targets.filter((t) => "resource" in t);
}

/** The types and names of `TYPE/NAME` arguments. */
function pairsOf(args: readonly string[]): readonly { readonly type: string; readonly name: string }[] {
  return args.map((arg) => {
    const [type = "", name = "", ...more] = arg.split("/");
    if (more.length > 0) throw new CliError("arguments in resource/name form may not have more than one slash");
    if (type === "" || name === "" || type.includes(","))
      throw new CliError("arguments in resource/name form must have a single resource and name");
    return { type, name };
  });
}

const noName = new CliError("resource(s) were provided, but no name was specified");
const lacksName = (args: readonly string[], flags: TargetFlags, rules: TargetRules): boolean =>
  args.length === 1 && !rules.listsTypes && !rules.defaultType && !flags.selector && !flags.fieldSelector && !flags.all;

/** Checks arguments and flags against each other. Throws CliError in kubectl's words; nothing has been sent. */
export function checkTargets(args: readonly string[], flags: TargetFlags, rules: TargetRules): void {
  const hasFiles = (flags.filename?.length ?? 0) > 0 || Boolean(flags.kustomize);
  const hasSelector = Boolean(flags.selector || flags.fieldSelector);
  const [first] = args;
  if (flags.kustomize && flags.filename?.length) throw new CliError("only one of -f or -k can be specified");
  if (hasFiles && args.length > 0)
    throw new CliError(
      "when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well",
    );
  if (hasFiles) return;
  if (first === undefined) throw new CliError(noResources);
  const isPair = args.some((arg) => arg.includes("/"));
  if (isPair) {
    if (!rules.defaultType && !args.every((arg) => arg.includes("/")))
      throw new CliError(
        "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'orrery get resource/<resource_name>' instead of 'orrery get resource resource/<resource_name>'",
      );
    if (hasSelector || flags.all)
      throw new CliError("selectors and the all flag cannot be used when passing resource/name arguments");
    pairsOf(args.filter((arg) => arg.includes("/")));
    return;
  }
  if (args.includes("")) throw new CliError("resource name may not be empty");
  if (args.length > 1 && (hasSelector || flags.all))
    throw new CliError("name cannot be provided when a selector is specified");
  if (flags.all && hasSelector) throw new CliError("setting 'all' parameter but found a non empty selector. ");
  // Of other words, the server says whether they are types.
  if (lacksName(args, flags, rules) && isCommonType(first)) throw noName;
}

/** What arguments or manifests refer to. Asks the server only which resources it serves. */
export async function targetsOf(
  scope: Scope & { readonly api: Connection },
  args: readonly string[],
  flags: TargetFlags,
  rules: TargetRules = {},
): Promise<readonly Target[]> {
  checkTargets(args, flags, rules);
  if (args.length === 0) {
    const targets = await manifestTargets(scope, flags);
    // Without a name, a path is that of all objects.
    if (targets.some(({ name }) => name === undefined)) throw new CliError("resource name may not be empty");
    return targets;
  }
  const named = (resource: Resource, name: string): Target => {
    if (resource.namespaced && flags.allNamespaces)
      throw new CliError("a resource cannot be retrieved by name across all namespaces");
    return { resource, namespace: resource.namespaced ? scope.namespace : undefined, name };
  };
  const { defaultType } = rules;
  if (defaultType !== undefined || args.some((arg) => arg.includes("/"))) {
    const pairs = args.map((arg) => (arg.includes("/") ? pairsOf([arg])[0]! : { type: defaultType!, name: arg }));
    return Promise.all(pairs.map(async ({ type, name }) => named(await scope.mapper.named(type), name)));
  }
  const [types, ...names] = args as readonly [string, ...string[]];
  const resources = await scope.mapper.allNamed(types).catch(async (error: unknown) => {
    const advice = names.length === 0 ? await didYouMean(scope, types, rules.suggested) : undefined;
    throw advice === undefined ? error : new CliError((error as Error).message, advice);
  });
  if (lacksName(args, flags, rules)) throw noName;
  if (names.length > 0) return resources.flatMap((resource) => names.map((name) => named(resource, name)));
  const selection = { labelSelector: flags.selector || undefined, fieldSelector: flags.fieldSelector || undefined };
  return resources.map((resource) => ({
    resource,
    namespace: resource.namespaced && !flags.allNamespaces ? scope.namespace : undefined,
    name: undefined,
    selection,
  }));
}

/** The API path of a target; of a list, with its selectors. */
export const targetPath = ({ resource, namespace, name, selection }: Target): string =>
  pathOf(resource, namespace, name) + query({ ...selection });

/** An object of the server, and the resource it was read from. */
export interface Found {
  readonly resource: Resource;
  readonly object: ApiObject;
}
/** Objects that were found, and the errors of those that were not. */
export interface Fetched {
  readonly found: readonly Found[];
  readonly errors: readonly unknown[];
}

async function fetchOne(api: Connection, target: Target): Promise<readonly Found[]> {
  const { resource, name } = target;
  if (name !== undefined) return [{ resource, object: await api.get<ApiObject>(targetPath(target)) }];
  const apiVersion = apiVersionOf(resource);
  // Items of a list lack their kinds.
  const items = await api.list<ApiObject>(targetPath(target));
  return items.map((object) => ({ resource, object: { ...object, apiVersion, kind: resource.kind } }));
}

/** Reads all targets. An error of one does not hide the others. */
export async function fetchTargets(api: Connection, targets: readonly Target[]): Promise<Fetched> {
  const outcomes = await Promise.allSettled(targets.map((target) => fetchOne(api, target)));
  return {
    found: outcomes.flatMap((o) => (o.status === "fulfilled" ? o.value : [])),
    errors: outcomes.flatMap((o) => (o.status === "rejected" ? [o.reason as unknown] : [])),
  };
}

/** Throws the errors, if there are any: a single one as it is. */
export function throwAll(errors: readonly unknown[]): void {
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors);
}
