// orrery explain: prints the documentation of kinds and their fields.
import { type Command, Option } from "commander";
import { CliError } from "../cli-error.ts";
import { session } from "../client/session.ts";
import { inVersion, namedField, schemaOf } from "../describe/kind-schema.ts";
import { type Explained, headText, schemaAt, schemaText } from "../describe/schema-text.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { similar } from "../program/suggestions.ts";

interface Flags extends GlobalFlags {
  readonly recursive?: boolean;
  readonly apiVersion?: string;
  readonly output: string;
}

function check(args: readonly string[], { output }: Flags): string {
  const [text] = args;
  if (text === undefined)
    throw new CliError(
      'You must specify the type of resource to explain. Use "orrery api-resources" for a complete list of supported resources.',
    );
  if (args.length > 1) throw new CliError("We accept only this format: explain RESOURCE");
  if (text.startsWith(".")) throw new CliError("invalid jsonpath syntax, first node must be field node");
  if (output === "plaintext-openapiv2")
    throw new CliError("orrery reads OpenAPI v3 only", "Leave --output away, or say --output plaintext.");
  if (output !== "plaintext") throw new CliError(`unrecognized format: ${output}`);
  return text;
}

async function explain(text: string, flags: Flags): Promise<void> {
  const { api, mapper } = await session(flags);
  const [named, path] = await namedField(text, mapper);
  const resource = await inVersion(named, flags.apiVersion, mapper);
  const [schema, schemas] = await schemaOf(resource, api);
  const explained: Explained = { ...resource, path };
  process.stdout.write(headText(explained));
  const found = schemaAt(schema, path, schemas);
  if ("missing" in found) {
    const near = similar(found.missing, found.fields).slice(0, 3);
    throw new CliError(
      `field "${found.missing}" does not exist`,
      near.length > 0 ? `Did you mean: ${near.join(", ")}?` : undefined,
    );
  }
  process.stdout.write(schemaText(found, explained, schemas, flags.recursive === true));
}

/** Adds `explain` to the program. */
export const register = (program: Command): void => {
  program
    .command("explain [args...]")
    .usage("[options] TYPE[.FIELD...]")
    .option("--recursive", "all fields below, by name and type")
    .option("--api-version <version>", "the group and version, such as apps/v1")
    .addOption(new Option("-o, --output <format>", "plaintext").default("plaintext"))
    .addHelpText(
      "after",
      "\nExamples:\n  orrery explain pods\n  orrery explain deploy.spec.strategy\n  orrery explain hpa --api-version=autoscaling/v2 --recursive",
    )
    .action((args: readonly string[], flags: Flags) => explain(check(args, flags), flags));
};
