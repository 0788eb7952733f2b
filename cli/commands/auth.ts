// orrery auth: whether the user may do something, and who the user is.
import type { Command } from "commander";
import { addReconcile } from "./auth-reconcile.ts";
import { CliError } from "../cli-error.ts";
import { type Session, session } from "../client/session.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { printLine, warn } from "../program/output.ts";
import { textTable } from "../printers/table.ts";

interface Flags extends GlobalFlags {
  readonly allNamespaces?: boolean;
  readonly list?: boolean;
  readonly quiet?: boolean;
  readonly headers?: boolean;
  readonly subresource?: string;
  readonly output?: string;
}
const usage = `you must specify two arguments: verb resource or verb resource/resourceName.
See 'orrery auth can-i -h' for help and examples.`;
const verbs =
  "get,list,watch,create,update,patch,delete,deletecollection,use,bind,impersonate,escalate,*,approve,sign,attest";

/** The attributes of the question, in the review's terms. */
async function attributesOf(scope: Session, verb: string, what: string, name: string, flags: Flags): Promise<object> {
  if (what.startsWith("/")) return { nonResourceAttributes: { path: what, verb } };
  const { mapper } = scope;
  const [type = "", resourceName = name] = what.split("/");
  const known = what === "*" ? undefined : await mapper.named(type).catch(() => undefined);
  if (what !== "*" && known === undefined) warn(`the server doesn't have a resource type '${type}'\n`);
  if (known && !known.namespaced && !flags.allNamespaces && flags.namespace)
    warn(`resource '${known.plural}' is not namespace scoped\n`);
  if (!verbs.split(",").includes(verb)) warn(`verb '${verb}' is not a known verb\n`);
  const namespace = flags.allNamespaces || known?.namespaced === false ? "" : scope.namespace;
  const [plural = "", ...group] = type.split(".");
  const resource = known
    ? { group: known.group, resource: known.plural }
    : { group: group.join("."), resource: plural };
  return {
    resourceAttributes: { namespace, verb, ...resource, subresource: flags.subresource ?? "", name: resourceName },
  };
}

interface Rules {
  readonly resourceRules: readonly Readonly<
    Record<"verbs" | "apiGroups" | "resources" | "resourceNames", readonly string[]>
  >[];
  readonly nonResourceRules: readonly Readonly<Record<"verbs" | "nonResourceURLs", readonly string[]>>[];
}

async function listRules({ api, namespace }: Session, flags: Flags): Promise<void> {
  const { body } = await api.request<{ readonly status: Rules }>({
    method: "POST",
    path: "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
    body: { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectRulesReview", spec: { namespace } },
  });
  const list = (values: readonly string[] = []): string => `[${values.join(" ")}]`;
  const rows = [
    ...body.status.resourceRules.flatMap((rule) =>
      rule.resources.flatMap((resource) =>
        rule.apiGroups.map((group) => [
          resource === "*" && group === "*" ? "*.*" : group === "" ? resource : `${resource}.${group}`,
          "[]",
          list(rule.resourceNames),
          list(rule.verbs),
        ]),
      ),
    ),
    ...body.status.nonResourceRules.flatMap((rule) =>
      rule.nonResourceURLs.map((url) => ["", `[${url}]`, "[]", list(rule.verbs)]),
    ),
  ];
  const header = flags.headers === false ? [] : ["Resources", "Non-Resource URLs", "Resource Names", "Verbs"];
  printLine(textTable(header, rows));
}

const canI = async (args: readonly string[], flags: Flags): Promise<void> => {
  if (flags.list) {
    if (args.length > 0) throw new CliError("list option must be specified with no arguments");
    return listRules(await session(flags), flags);
  }
  if (args.length < 2 || args.length > 3) throw new CliError(usage, undefined);
  const [verb = "", what = "", name = ""] = args;
  if (what.startsWith("/") && flags.subresource)
    throw new CliError("--subresource can not be used with NonResourceURL");
  if (what.includes("/") && !what.startsWith("/") && name !== "")
    throw new CliError("NAME may be given once, as TYPE/NAME or after TYPE");
  const scope = await session(flags);
  const { body } = await scope.api.request<{
    readonly status: { readonly allowed: boolean; readonly reason?: string };
  }>({
    method: "POST",
    path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    body: {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: await attributesOf(scope, verb, what, name, flags),
    },
  });
  const { allowed, reason } = body.status;
  if (!flags.quiet) printLine(allowed ? "yes" : reason ? `no - ${reason}` : "no");
  if (!allowed) process.exitCode = 1;
};

type SelfSubjectReview = Readonly<Record<"kind" | "apiVersion", string>> & {
  readonly status: { readonly userInfo: UserInfo };
};
interface UserInfo {
  readonly username: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

const whoami = async (flags: Flags): Promise<void> => {
  if (flags.output !== undefined && flags.output !== "json" && flags.output !== "yaml")
    throw new CliError(`the review cannot be printed as "${flags.output}"`, "Choose -o json or -o yaml.");
  const { api } = await session(flags);
  const { body } = await api.request<SelfSubjectReview>({
    method: "POST",
    path: "/apis/authentication.k8s.io/v1/selfsubjectreviews",
    body: { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" },
  });
  const { kind, apiVersion, ...rest } = body;
  if (flags.output === "json") return printLine(JSON.stringify({ kind, apiVersion, ...rest }, null, 4));
  if (flags.output === "yaml") {
    const { yamlText } = await import("../printers/yaml.ts");
    return void process.stdout.write(yamlText(body));
  }
  const { username, uid, groups = [], extra = {} } = body.status.userInfo;
  const rows = [
    ["Username", username],
    ...(uid ? [["UID", uid]] : []),
    ...(groups.length > 0 ? [["Groups", `[${groups.join(" ")}]`]] : []),
    ...Object.keys(extra)
      .toSorted()
      .map((key) => [`Extra: ${key}`, `[${extra[key]!.join(" ")}]`]),
  ];
  printLine(textTable(["ATTRIBUTE", "VALUE"], rows));
};

/** Adds `auth` and its subcommands to the program. */
export const register = (program: Command): void => {
  const auth = program.command("auth");
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
  auth
    .command("whoami")
    .summary("print the user and its groups, as the server sees them")
    .option("-o, --output <format>", "json or yaml")
    .action(whoami);
  addReconcile(auth);
};
