// How `create KIND` commands run: check flags, generate the object, print it or send it.
import type { Command } from "commander";
import { ApiError } from "../../api/errors.ts";
import { CliError } from "../cli-error.ts";
import { lastApplied } from "../client/last-applied.ts";
import { pathOf, query } from "../client/resources.ts";
import { type Session, session } from "../client/session.ts";
import { type GeneratedObject, withMeta } from "../generators/generated-object.ts";
import { orderedJson } from "../generators/ordered-json.ts";
import { fieldValidationOf, validateOption } from "./field-validation.ts";
import { type ResultFlags, resultsOf, withResult } from "./result.ts";

export interface CreateFlags extends ResultFlags {
  readonly fieldManager: string;
  readonly saveConfig?: boolean;
  readonly validate?: string;
}

/** What a generator works with: the name, the flags, the words after `--`, and a session if it needs the server. */
export interface Input<F> {
  readonly name: string;
  readonly flags: F & CreateFlags;
  readonly command: readonly string[];
  readonly connect: () => Promise<Session>;
}
/** A `create` command. */
export interface Generator<F> {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** What precedes the server's error, such as `failed to create job: `. */
  readonly failure?: string;
  /** Flags that must be set. */
  readonly required?: readonly string[];
  readonly examples: readonly string[];
  readonly options: (command: Command) => Command;
  readonly generate: (input: Input<F>) => GeneratedObject | Promise<GeneratedObject>;
}

const pathTo = (command: Command): string =>
  command.parent ? `${pathTo(command.parent)} ${command.name()}` : command.name();

/** The only argument before `--`. Throws CliError in kubectl's words. */
export function exactlyOneName(args: readonly string[], command: Command): string {
  if (args.length === 1) return args[0]!;
  throw new CliError(
    `exactly one NAME is required, got ${args.length}`,
    `See '${pathTo(command)} -h' for help and examples`,
  );
}

/** The object with its own configuration as an annotation, for a later `kubectl apply`. */
export function withConfig(object: GeneratedObject): GeneratedObject {
  const { [lastApplied]: _, ...annotations } = object.metadata.annotations ?? {};
  const bare = withMeta(object, { annotations: Object.keys(annotations).length > 0 ? annotations : undefined });
  return withMeta(object, { annotations: { ...annotations, [lastApplied]: `${orderedJson(bare)}\n` } });
}

/** Splits an object's `apps/v1`. */
const groupVersion = (apiVersion: string) => {
  const slash = apiVersion.indexOf("/");
  return { group: slash < 0 ? "" : apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
};

/** Creates a generated object. */
export async function send(
  { api, namespace }: Pick<Session, "api" | "namespace">,
  object: GeneratedObject,
  resource: Readonly<Record<"plural", string>> & { readonly namespaced: boolean },
  parameters: Parameters<typeof query>[0],
): Promise<object> {
  const path = pathOf({ ...groupVersion(object.apiVersion), ...resource }, object.metadata.namespace ?? namespace);
  const { body } = await api.request<object>({ method: "POST", path: path + query(parameters), body: object });
  return body;
}

/** The server's error with the words of the generator before it. */
const wrapped = (error: unknown, failure: string | undefined): unknown =>
  failure !== undefined && error instanceof ApiError ? new CliError(failure + error.message) : error;

async function create<F>(generator: Generator<F>, args: readonly string[], flags: F & CreateFlags, command: Command) {
  const dash = flags.argsBeforeDash ?? args.length;
  const name = exactlyOneName(args.slice(0, dash), command);
  const results = await resultsOf(flags, { isGenerated: true });
  const fieldValidation = fieldValidationOf(flags.validate);
  let scope: Promise<Session> | undefined;
  const connect = (): Promise<Session> => {
    scope ??= session(flags);
    return scope;
  };
  const generated = await generator.generate({ name, flags, command: args.slice(dash), connect });
  const placed =
    generator.namespaced && flags.namespace ? withMeta(generated, { namespace: flags.namespace }) : generated;
  const object = flags.saveConfig ? withConfig(placed) : placed;
  if (results.dryRun === "client") return results.print(object, "created");
  try {
    const parameters = { fieldManager: flags.fieldManager, fieldValidation, dryRun: results.dryRunParameter };
    results.print(await send(await connect(), object, generator, parameters), "created");
  } catch (error) {
    throw wrapped(error, generator.failure);
  }
}

/** The options that generated objects share. */
export const withGeneration = (command: Command, fieldManager: string): Command =>
  withResult(command)
    .option("--field-manager <name>", "the manager that owns the fields", fieldManager)
    .option("--save-config", "keep the configuration in an annotation, for a later kubectl apply");

/** Adds a generator to `create` or one of its groups. */
export function addGenerator<F>(parent: Command, generator: Generator<F>): void {
  const command = parent.command(generator.name).aliases([...(generator.aliases ?? [])]);
  generator
    .options(command)
    .argument("[args...]")
    .usage("[options] NAME")
    .summary(generator.summary)
    .description(`${generator.summary[0]!.toUpperCase()}${generator.summary.slice(1)}.`)
    .addHelpText("after", `\nExamples:\n${generator.examples.map((line) => `  orrery ${line}`).join("\n")}`)
    .action((args: readonly string[], flags: F & CreateFlags) => create(generator, args, flags, command));
  withGeneration(command, "kubectl-create").addOption(validateOption());
  for (const flag of generator.required ?? [])
    command.options.find(({ long }) => long === `--${flag}`)!.makeOptionMandatory();
}
