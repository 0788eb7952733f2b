// orrery auth can-i: whether the user may do something, and the list of what the user may do.
import type { Command } from "commander";
import type { PolicyRule } from "../../api/generated/types.ts";
import { CliError } from "../cli-error.ts";
import { type Session, session } from "../client/session.ts";
import { ruleHeader, ruleRows } from "../describe/rules.ts";
import { textTable } from "../printers/table.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { printLine, warn } from "../program/output.ts";

interface Flags extends GlobalFlags {
  readonly allNamespaces?: boolean;
  readonly list?: boolean;
  readonly quiet?: boolean;
  readonly headers?: boolean;
  readonly subresource?: string;
}
const usage = `you must specify two arguments: verb resource or verb resource/resourceName.
See 'orrery auth can-i -h' for help and examples.`;
const resourceVerbs =
  "get list watch create update patch delete deletecollection use bind impersonate * approve sign escalate attest";
const pathVerbs = "get put post head options delete patch *";
/** Verbs apply to these, but they are not served. */
const unservedTypes = ["users", "groups"];

const checkVerb = (verb: string, known: string): void => {
  if (!known.split(" ").includes(verb)) warn(`verb '${verb}' is not a known verb\n`);
};
const inGroup = (group: string): string => (group === "" ? "" : ` in group '${group}'`);

/** The resource as the server knows it; otherwise as it was written. */
async function resourceOf({ mapper }: Session, type: string) {
  const known = type === "*" ? undefined : await mapper.named(type).catch(() => undefined);
  if (known) return { group: known.group, resource: known.plural, isNamespaced: known.namespaced };
  const [plural = "", ...group] = type.toLowerCase().split(".");
  if (type !== "*" && !unservedTypes.includes(type))
    warn(`the server doesn't have a resource type '${plural}'${inGroup(group.join("."))}\n`);
  return { group: "", resource: type, isNamespaced: true };
}

/** The attributes of the request, in the terms of a review. */
async function attributesOf(scope: Session, verb: string, what: string, flags: Flags): Promise<object> {
  if (what.startsWith("/")) {
    checkVerb(verb, pathVerbs);
    return { nonResourceAttributes: { path: what, verb } };
  }
  const slash = what.indexOf("/");
  const [type, name] = slash < 0 ? [what, ""] : [what.slice(0, slash), what.slice(slash + 1)];
  const { isNamespaced, ...resource } = await resourceOf(scope, type);
  if (!flags.allNamespaces) {
    if (!isNamespaced) warn(`resource '${resource.resource}' is not namespace scoped${inGroup(resource.group)}\n`);
    checkVerb(verb, resourceVerbs);
  }
  const namespace = flags.allNamespaces ? "" : scope.namespace;
  const { subresource = "" } = flags;
  return { resourceAttributes: { namespace, verb, ...resource, subresource, name } };
}

const post = async <T>({ api }: Session, kind: string, plural: string, spec: object): Promise<T> =>
  (
    await api.request<{ readonly status: T }>({
      method: "POST",
      path: `/apis/authorization.k8s.io/v1/${plural}`,
      body: { apiVersion: "authorization.k8s.io/v1", kind, spec },
    })
  ).body.status;

interface Rules {
  readonly resourceRules: readonly PolicyRule[];
  readonly nonResourceRules: readonly PolicyRule[];
  readonly incomplete?: boolean;
  readonly evaluationError?: string;
}

async function listRules(scope: Session, { headers }: Flags): Promise<void> {
  const { namespace } = scope;
  const status = await post<Rules>(scope, "SelfSubjectRulesReview", "selfsubjectrulesreviews", { namespace });
  const { resourceRules, nonResourceRules, incomplete, evaluationError = "" } = status;
  if (incomplete) warn(`the list may be incomplete: ${evaluationError}`);
  printLine(textTable(headers === false ? [] : ruleHeader, ruleRows([...resourceRules, ...nonResourceRules])));
}

interface Access {
  readonly allowed: boolean;
  readonly reason?: string;
  readonly evaluationError?: string;
}

async function check(scope: Session, verb: string, what: string, flags: Flags): Promise<void> {
  const spec = await attributesOf(scope, verb, what, flags);
  if (flags.headers === false) throw new CliError("--no-headers cannot be set without --list specified");
  const status = await post<Access>(scope, "SelfSubjectAccessReview", "selfsubjectaccessreviews", spec);
  const { allowed, reason, evaluationError } = status;
  const because = [reason, evaluationError].filter(Boolean).map((text) => ` - ${text}`);
  if (!flags.quiet) printLine(allowed ? "yes" : `no${because.join("")}`);
  if (!allowed) process.exitCode = 1;
}

const canI = async (args: readonly string[], flags: Flags): Promise<void> => {
  const { list, quiet, allNamespaces, subresource } = flags;
  if (list) {
    if (args.length > 0) throw new CliError("list option must be specified with no arguments");
    if (quiet || allNamespaces || subresource)
      throw new CliError("list option can't be specified with neither quiet, all-namespaces nor subresource options");
    return listRules(await session(flags), flags);
  }
  const [verb, what, ...more] = args;
  if (verb === undefined || what === undefined || more.length > 0) throw new CliError(usage, undefined);
  if (what.startsWith("/") && subresource) throw new CliError("--subresource can not be used with NonResourceURL");
  return check(await session(flags), verb, what, flags);
};

/** Adds `can-i` to `auth`. */
export const addCanI = (auth: Command): void => {
  auth
    .command("can-i [args...]")
    .usage("[options] VERB (TYPE | TYPE/NAME | /PATH)")
    .summary("check whether an action is allowed; exit with 1 if not")
    .option("-A, --all-namespaces", "in all namespaces")
    .option("--list", "list everything that is allowed")
    .option("-q, --quiet", "print nothing, and only set the exit code")
    .option("--no-headers", "without the line of column names")
    .option("--subresource <name>", "the subresource, such as log or scale")
    .addHelpText("after", "\nExamples:\n  orrery auth can-i create pods -n web\n  orrery auth can-i --list --as jane")
    .action(canI);
};
