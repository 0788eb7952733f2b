// orrery explain: prints the documentation of kinds and their fields.
import { type Command, Option } from "commander";
import { CliError } from "../cli-error.ts";
import { apiVersionOf, isNamed, type Resource } from "../client/resources.ts";
import { type Session, session } from "../client/session.ts";
import {
  type Explained,
  headText,
  type Schema,
  type SchemaDocument,
  Schemas,
  schemaAt,
  schemaText,
} from "../describe/schema-text.ts";
import type { GlobalFlags } from "../program/global-flags.ts";

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

/** The resource that the beginning of the text names, such as `deployments.apps`, and the fields after it. */
async function parse(text: string, { mapper }: Session): Promise<readonly [Resource, readonly string[]]> {
  const parts = text.replace(/\.$/, "").split(".");
  const all = await mapper.all();
  for (let length = parts.length; length > 1; length--) {
    const resource = all.find((r) => isNamed(r, parts.slice(0, length).join(".")));
    if (resource) return [resource, parts.slice(length)];
  }
  return [await mapper.named(parts[0]!), parts.slice(1)];
}

/** The resource in the version that the flag names. */
async function inVersion(resource: Resource, { apiVersion }: Flags, { mapper }: Session): Promise<Resource> {
  if (!apiVersion) return resource;
  const found = (await mapper.all()).find((r) => r.plural === resource.plural && apiVersionOf(r) === apiVersion);
  if (found) return found;
  throw new CliError(`couldn't find resource for "${apiVersion}, Resource=${resource.plural}"`);
}

interface Kinded extends Schema {
  readonly "x-kubernetes-group-version-kind"?: readonly Pick<Resource, "group" | "version" | "kind">[];
}

async function explain(text: string, flags: Flags): Promise<void> {
  const scope = await session(flags);
  const [named, path] = await parse(text, scope);
  const resource = await inVersion(named, flags, scope);
  const { group, version, kind } = resource;
  const root = group === "" ? `api/${version}` : `apis/${group}/${version}`;
  const index = await scope.api.get<{
    readonly paths: Readonly<Record<string, { readonly serverRelativeURL: string }>>;
  }>("/openapi/v3");
  const url = index.paths[root]?.serverRelativeURL;
  if (url === undefined)
    throw new CliError(`couldn't find resource for "${apiVersionOf(resource)}, Resource=${resource.plural}"`);
  const document = await scope.api.get<SchemaDocument>(url);
  const schema = Object.values((document.components?.schemas ?? {}) as Readonly<Record<string, Kinded>>).find((s) =>
    s["x-kubernetes-group-version-kind"]?.some((k) => k.group === group && k.version === version && k.kind === kind),
  );
  if (schema === undefined)
    throw new CliError(`GVR (${apiVersionOf(resource)}, Resource=${resource.plural}) not found in OpenAPI schema`);
  const explained: Explained = { group, version, kind, path };
  const schemas = new Schemas(document);
  process.stdout.write(headText(explained));
  const found = schemaAt(schema, path, schemas);
  if (typeof found === "string") throw new CliError(`field "${found}" does not exist`);
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
