// `set env`: variables of containers, from arguments, ConfigMaps and Secrets.
import type { ApiObject } from "../../api/meta.ts";
import { quoted } from "../../api/quote.ts";
import { CliError } from "../cli-error.ts";
import { variableProblem } from "./config-data.ts";
import { type Container, type EnvVar, matchesName, withContainers, withPodSpec } from "./pod-template.ts";

export interface EnvChanges {
  readonly set: readonly EnvVar[];
  readonly remove: readonly string[];
}

/** `A=1`, `A-`, or `-` for standard input: what is not the name of a resource. */
export const isEnvChange = (arg: string): boolean => arg.includes("=") || arg.endsWith("-");

/** The changes of `NAME=VALUE` and `NAME-`. Throws CliError in kubectl's words. */
export function envChanges(texts: readonly string[]): EnvChanges {
  const set: EnvVar[] = [];
  const remove: string[] = [];
  for (const text of texts) {
    const at = text.indexOf("=");
    if (at < 0 && !text.endsWith("-")) throw new CliError(`environment variables must be of the form key=value`);
    const name = at < 0 ? text.slice(0, -1) : text.slice(0, at);
    if (at < 0) {
      remove.push(name);
      continue;
    }
    const problem = variableProblem(name);
    if (problem !== undefined) throw new CliError(`${quoted(name)} is not a valid key name: ${problem}`);
    set.push({ name, value: text.slice(at + 1) });
  }
  if (set.some(({ name }) => remove.includes(name)))
    throw new CliError("can not both modify and remove the same environment variable in the same command");
  return { set, remove };
}

/** Where variables are imported from. */
export interface EnvSource {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
}

/** The variable of a key: letters, digits and underscores. */
const variableOf = (key: string): string => key.toUpperCase().replaceAll(/[^A-Z0-9_]/g, "_");

/** The variables of a ConfigMap or Secret, and the keys that became other names. */
export function importedEnv(
  source: EnvSource,
  keys: readonly string[],
  prefix: string,
): { readonly set: readonly EnvVar[]; readonly renamed: readonly (readonly [string, string])[] } {
  const field = { ConfigMap: "configMapKeyRef", Secret: "secretKeyRef" }[source.kind];
  if (field === undefined) throw new CliError("unsupported resource specified in --from");
  const names = Object.keys(source.data ?? {})
    .filter((key) => keys.length === 0 || keys.includes(key))
    .sort();
  return {
    set: names.map((key) => ({
      name: `${prefix}${variableOf(key)}`,
      valueFrom: { [field]: { name: source.metadata.name, key } },
    })),
    renamed: names.filter((key) => variableOf(key) !== key).map((key) => [key, variableOf(key)]),
  };
}

function changedEnv(before: readonly EnvVar[], { set, remove }: EnvChanges): readonly EnvVar[] {
  const kept = before.filter(({ name }) => !remove.includes(name));
  const replaced = kept.map((variable) => set.find(({ name }) => name === variable.name) ?? variable);
  return [...replaced, ...set.filter(({ name }) => !kept.some((variable) => variable.name === name))];
}

function withEnv(container: Container, changes: EnvChanges): Container {
  const { env, ...rest } = container;
  const after = changedEnv(env ?? [], changes);
  return after.length > 0 ? { ...rest, env: after } : rest;
}

function checkOverwrite({ env = [] }: Container, { set }: EnvChanges): void {
  for (const { name, value } of env)
    if (set.some((other) => other.name === name && other.value !== value))
      throw new CliError(`'${name}' already has a value (${value ?? ""}), and --overwrite is false`);
}

/** The object after the changes of the containers that match. */
export const withVariables = (
  object: ApiObject,
  changes: EnvChanges,
  { pattern, overwrite }: { readonly pattern: string; readonly overwrite: boolean },
): ApiObject =>
  withPodSpec(object, (spec) =>
    withContainers(spec, (container) => {
      if (!matchesName(pattern, container.name)) return container;
      if (!overwrite) checkOverwrite(container, changes);
      return withEnv(container, changes);
    }),
  );

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** A line of `set env --list`: the value, or where it comes from. */
export function variableLine({ name, value, valueFrom = {} }: EnvVar): string {
  const { configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef } = valueFrom;
  if (configMapKeyRef)
    return `# ${name} from configmap ${text(configMapKeyRef["name"])}, key ${text(configMapKeyRef["key"])}`;
  if (secretKeyRef) return `# ${name} from secret ${text(secretKeyRef["name"])}, key ${text(secretKeyRef["key"])}`;
  if (fieldRef) return `# ${name} from field path ${text(fieldRef["fieldPath"])}`;
  if (resourceFieldRef) return `# ${name} from resource field ${text(resourceFieldRef["resource"])}`;
  return `${name}=${value ?? ""}`;
}
