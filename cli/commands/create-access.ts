// orrery create role, rolebinding, clusterrole, clusterrolebinding, serviceaccount and token: who may do what.
import { type Command, InvalidArgumentError } from "commander";
import { ApiError } from "../../api/errors.ts";
import { CliError } from "../cli-error.ts";
import { pathOf, type Resource } from "../client/resources.ts";
import { type Session, session } from "../client/session.ts";
import { serviceAccount } from "../generators/policies.ts";
import {
  type BindingFlags,
  type ClusterRoleFlags,
  checkClusterRole,
  checkRole,
  checkUrls,
  checkVerbs,
  clusterRole,
  clusterRoleBinding,
  type ResourceArgument,
  type RoleFlags,
  role,
  roleBinding,
} from "../generators/rbac.ts";
import { duration, list, strings } from "../program/flag-values.ts";
import { RenamedOption } from "../program/global-flags.ts";
import { warn } from "../program/output.ts";
import { addGenerator, exactlyOneName, type Generator } from "./create-object.ts";
import { type ResultFlags, withOutput } from "./result.ts";
import { objectPrinter } from "../printers/output.ts";

const isResource = (r: Resource, { resource, group }: ResourceArgument): boolean =>
  [r.plural, r.singular, ...r.shortNames].includes(resource) && (group === "" || r.group === group);

/** The resources as the server names them. `*` stands for all. */
async function resolved({ mapper }: Session, args: readonly ResourceArgument[]): Promise<readonly ResourceArgument[]> {
  const all = await mapper.all();
  return args.map((argument) => {
    if (argument.resource === "*") return argument;
    const found = all.find((r) => isResource(r, argument));
    if (found) return { ...argument, resource: found.plural, group: found.group };
    const where = argument.group === "" ? "" : ` in group ${JSON.stringify(argument.group)}`;
    throw new CliError(
      `the server doesn't have a resource type ${JSON.stringify(argument.resource)}${where}`,
      undefined,
      {
        isBare: true,
      },
    );
  });
}

const withRules = (command: Command): Command =>
  command
    .option("--verb <verb>", "verbs of the rule, such as get,list", list)
    .option("--resource <type>", "resources of the rule, such as pods,deployments.apps,pods/log", list)
    .option("--resource-name <name>", "limit the rule to the object of this name; may be repeated", strings);

const roles: Generator<RoleFlags> = {
  name: "role",
  summary: "create a Role with a rule",
  plural: "roles",
  namespaced: true,
  examples: ["create role reader --verb=get,list,watch --resource=pods,pods/log"],
  options: withRules,
  generate: async ({ name, flags, connect }) => {
    const args = checkRole(flags);
    const resources = await resolved(await connect(), args);
    for (const warning of checkVerbs(flags, resources)) warn(warning);
    return role(name, flags, resources);
  },
};

/** `KEY=VALUE,...`, repeatable: pflag's mapping of strings. */
function labelMap(text: string, previous: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const pairs = text.split(",").map((pair) => {
    const at = pair.indexOf("=");
    if (at < 0) throw new InvalidArgumentError("malformed pair, expect string=string");
    return [pair.slice(0, at).trim(), pair.slice(at + 1)] as const;
  });
  return { ...previous, ...Object.fromEntries(pairs) };
}

const clusterRoles: Generator<ClusterRoleFlags> = {
  name: "clusterrole",
  summary: "create a ClusterRole with a rule",
  plural: "clusterroles",
  namespaced: false,
  examples: [
    "create clusterrole reader --verb=get,list --resource=nodes",
    "create clusterrole health --verb=get --non-resource-url='/healthz/*'",
  ],
  options: (command) =>
    withRules(command)
      .option(
        "--non-resource-url <path>",
        "a path of the API that is no resource, such as /healthz; may be repeated",
        list,
      )
      .option("--aggregation-rule <labels>", "the labels of the roles it combines", labelMap),
  generate: async ({ name, flags, connect }) => {
    const args = checkClusterRole(flags);
    const resources = args.length > 0 ? await resolved(await connect(), args) : [];
    const warnings = args.length > 0 ? checkVerbs(flags, resources) : [];
    checkUrls(flags);
    for (const warning of warnings) warn(warning);
    return clusterRole(name, flags, resources);
  },
};

/** Adds the options of the subjects of a binding. */
export const withSubjectOptions = (command: Command): Command =>
  command
    .addOption(new RenamedOption("--user <name>", "a user; may be repeated", "subjectUser").argParser(strings))
    .option("--group <name>", "a group; may be repeated", strings)
    .option("--serviceaccount <name>", "a service account as NAMESPACE:NAME; may be repeated", strings);

const roleBindings: Generator<BindingFlags> = {
  name: "rolebinding",
  summary: "create a RoleBinding",
  plural: "rolebindings",
  namespaced: true,
  failure: "failed to create rolebinding: ",
  examples: ["create rolebinding readers --role=reader --user=ann --serviceaccount=default:app"],
  options: (command) =>
    withSubjectOptions(command)
      .option("--role <name>", "the Role to grant")
      .option("--clusterrole <name>", "the ClusterRole to grant"),
  generate: ({ name, flags }) => roleBinding(name, flags),
};

const clusterRoleBindings: Generator<BindingFlags> = {
  name: "clusterrolebinding",
  summary: "create a ClusterRoleBinding",
  plural: "clusterrolebindings",
  namespaced: false,
  failure: "failed to create clusterrolebinding: ",
  required: ["clusterrole"],
  examples: ["create clusterrolebinding admins --clusterrole=cluster-admin --group=ops"],
  options: (command) => withSubjectOptions(command).option("--clusterrole <name>", "the ClusterRole to grant"),
  generate: ({ name, flags }) => clusterRoleBinding(name, flags),
};

const serviceAccounts: Generator<object> = {
  name: "serviceaccount",
  aliases: ["sa"],
  summary: "create a ServiceAccount",
  plural: "serviceaccounts",
  namespaced: true,
  failure: "failed to create serviceaccount: ",
  examples: ["create serviceaccount app"],
  options: (command) => command,
  generate: ({ name }) => serviceAccount(name),
};

interface TokenFlags extends ResultFlags {
  readonly audience?: readonly string[];
  readonly duration?: number;
  readonly boundObjectKind?: string;
  readonly boundObjectName?: string;
  readonly boundObjectUid?: string;
}
/** Kinds that a token may be bound to, with their versions. */
const boundKinds: Readonly<Record<string, string>> = { Node: "v1", Pod: "v1", Secret: "v1" };

/** The object that a token is bound to. Throws CliError in kubectl's words. */
function boundObject({ boundObjectKind: kind, boundObjectName: name, boundObjectUid: uid }: TokenFlags) {
  if (!kind) {
    if (name) throw new CliError("--bound-object-name can only be set if --bound-object-kind is provided");
    if (uid) throw new CliError("--bound-object-uid can only be set if --bound-object-kind is provided");
    return undefined;
  }
  const apiVersion = boundKinds[kind];
  if (!apiVersion) throw new CliError(`supported --bound-object-kind values are ${Object.keys(boundKinds).join(", ")}`);
  if (!name) throw new CliError("--bound-object-name is required if --bound-object-kind is provided");
  return { kind, apiVersion, name, uid };
}

interface TokenRequest {
  readonly status: { readonly token: string };
}

async function createToken(args: readonly string[], flags: TokenFlags, command: Command): Promise<void> {
  const name = exactlyOneName(args, command);
  const printer = flags.output ? await objectPrinter(flags) : undefined;
  if ((flags.duration ?? 0) < 0) throw new CliError("--duration must be greater than or equal to 0");
  const boundObjectRef = boundObject(flags);
  const seconds = Math.floor((flags.duration ?? 0) / 1000);
  const { api, namespace } = await session(flags);
  const serviceAccounts = { group: "", version: "v1", plural: "serviceaccounts", namespaced: true };
  const body = {
    kind: "TokenRequest",
    apiVersion: "authentication.k8s.io/v1",
    metadata: {},
    spec: {
      audiences: flags.audience ?? null,
      expirationSeconds: seconds || null,
      boundObjectRef: boundObjectRef ?? null,
    },
    status: { token: "", expirationTimestamp: null },
  };
  try {
    const path = `${pathOf(serviceAccounts, namespace, name)}/token`;
    const response = await api.request<TokenRequest>({ method: "POST", path, body });
    process.stdout.write(printer ? printer(response.body) : response.body.status.token);
    // A file or a variable gets the token alone.
    if (!printer && process.stdout.isTTY) process.stdout.write("\n");
  } catch (error) {
    throw error instanceof ApiError ? new CliError(`failed to create token: ${error.message}`) : error;
  }
}

function addToken(create: Command): void {
  const command = create.command("token").argument("[args...]").usage("[options] NAME");
  withOutput(command)
    .summary("request a token of a ServiceAccount")
    .option("--audience <name>", "an audience of the token; may be repeated", strings)
    .option("--duration <time>", "how long it is valid, such as 1h; the server may decide otherwise", duration)
    .option("--bound-object-kind <kind>", `the object it is bound to: ${Object.keys(boundKinds).join(", ")}`)
    .option("--bound-object-name <name>", "the name of that object")
    .option("--bound-object-uid <uid>", "the uid of that object")
    .addHelpText("after", "\nExamples:\n  orrery create token app --duration=1h")
    .action((args: readonly string[], flags: TokenFlags) => createToken(args, flags, command));
}

/** Adds the commands to `create`. */
export function addAccess(create: Command): void {
  addGenerator(create, roles);
  addGenerator(create, roleBindings);
  addGenerator(create, clusterRoles);
  addGenerator(create, clusterRoleBindings);
  addGenerator(create, serviceAccounts);
  addToken(create);
}
