// orrery set env: changes or lists the variables of containers.
import type { Command } from "commander";
import type { ApiObject } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";
import { textOf } from "../client/connection.ts";
import { pathOf } from "../client/resources.ts";
import { type Session, session } from "../client/session.ts";
import { targetPath, targetsOf } from "../client/targets.ts";
import { type Container, type EnvVar, matchesName, podSpecOf } from "../generators/pod-template.ts";
import {
  type EnvChanges,
  type EnvSource,
  envChanges,
  importedEnv,
  isEnvChange,
  variableLine,
  withVariables,
} from "../generators/set-env.ts";
import { list, strings } from "../program/flag-values.ts";
import { printLine, warn } from "../program/output.ts";
import { type Modification, type ModifyFlags, modify, named } from "./modify.ts";

interface Flags extends ModifyFlags {
  readonly containers: string;
  readonly env?: readonly string[];
  readonly from?: string;
  readonly keys?: readonly string[];
  readonly prefix?: string;
  readonly list?: boolean;
  readonly resolve?: boolean;
  readonly overwrite: boolean;
}

/** The variables of `--from`. */
async function imported(scope: Session, from: string, flags: Flags): Promise<readonly EnvVar[]> {
  if (!from.includes("/")) await scope.mapper.named(from);
  const [target] = await targetsOf(scope, [from], {});
  const source = await scope.api.get<EnvSource>(targetPath(target!));
  const { set, renamed } = importedEnv(source, flags.keys ?? [], flags.prefix ?? "");
  for (const [key, name] of renamed) warn(`key ${key} transferred to ${name}`);
  return set;
}

/** The variables of standard input, one a line. */
const readLines = async (): Promise<readonly string[]> =>
  (await textOf(process.stdin)).split("\n").filter((line) => line !== "" && !line.startsWith("#"));

const configs = { group: "", version: "v1", plural: "configmaps", namespaced: true };
const secrets = { ...configs, plural: "secrets" };

/** The value that a reference stands for. */
async function resolved({ api }: Session, variable: EnvVar, pod: ApiObject): Promise<EnvVar> {
  const { configMapKeyRef, secretKeyRef } = variable.valueFrom ?? {};
  const reference = configMapKeyRef ?? secretKeyRef;
  if (!reference) return variable;
  const path = pathOf(configMapKeyRef ? configs : secrets, pod.metadata.namespace, String(reference["name"]));
  const { data = {} } = await api.get<EnvSource>(path);
  const value = data[String(reference["key"])] ?? "";
  return { name: variable.name, value: secretKeyRef ? Buffer.from(value, "base64").toString() : value };
}

async function print(object: ApiObject, containers: readonly Container[], scope: Session | undefined): Promise<void> {
  for (const { name, env = [] } of containers) {
    printLine(`# ${object.kind} ${object.metadata.name}, container ${name}`);
    for (const variable of env) printLine(variableLine(scope ? await resolved(scope, variable, object) : variable));
  }
}

async function setEnv(args: readonly string[], flags: Flags): Promise<void> {
  const resources = args.filter((arg) => !isEnvChange(arg));
  if (flags.keys?.length && !flags.from)
    throw new CliError("when specifying --keys, a configmap or secret must be provided with --from");
  if (resources.length === 0 && !flags.filename?.length && !flags.kustomize)
    throw new CliError("one or more resources must be specified as <resource> <name> or <resource>/<name>");
  const texts = [
    ...args.filter((arg) => isEnvChange(arg) && arg !== "-"),
    ...(flags.env ?? []).filter((e) => e !== "-"),
  ];
  const usesInput = args.includes("-") || flags.env?.includes("-");
  const written = envChanges([...texts, ...(usesInput ? await readLines() : [])]);
  const scope = flags.from || flags.resolve ? await session(flags) : undefined;
  const more = flags.from ? await imported(scope!, flags.from, flags) : [];
  const changes: EnvChanges = { set: [...written.set, ...more], remove: written.remove };
  const change: Modification["change"] = async (object, found) => {
    const { containers, initContainers = [] } = named(found, () => podSpecOf(object));
    const matching = [...containers, ...initContainers].filter(({ name }) => matchesName(flags.containers, name));
    if (matching.length === 0)
      warn(`${object.kind}/${object.metadata.name} does not have any containers matching "${flags.containers}"`);
    const how = { pattern: flags.containers, overwrite: flags.overwrite };
    const after = named(found, () => withVariables(object, changes, how));
    if (!flags.list) return after;
    const spec = podSpecOf(after);
    const shown = [...spec.containers, ...(spec.initContainers ?? [])];
    await print(
      after,
      shown.filter(({ name }) => matchesName(flags.containers, name)),
      flags.resolve ? scope : undefined,
    );
    return object;
  };
  await modify(resources, flags, {
    change,
    operation: "env updated",
    failure: "failed to patch env update to pod template: ",
    printsUnchanged: false,
    needsAll: true,
  });
}

/** Adds `set env`. */
export function addSetEnv(add: (name: string, summary: string, example: string) => Command): void {
  add("env", "change or list the variables of containers", "env deploy/web LEVEL=debug OLD-")
    .option("-c, --containers <name>", "the containers to change; * stands for any text", "*")
    .option("-e, --env <pair>", "a variable as NAME=VALUE, or - for standard input; may be repeated", strings)
    .option("--from <source>", "a ConfigMap or Secret whose keys become variables")
    .option("--keys <names>", "only these keys of --from", list)
    .option("--prefix <text>", "a prefix for the names of --from")
    .option("--list", "print the variables")
    .option("--resolve", "print the values of references with --list")
    .option("--overwrite [bool]", "replace variables that have another value", (text: string) => text !== "false", true)
    .action(setEnv);
}
