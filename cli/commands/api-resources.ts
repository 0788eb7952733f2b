// orrery api-resources: lists the types of objects that the server serves.
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { apiVersionOf, isPreferred, type Resource } from "../client/resources.ts";
import { session } from "../client/session.ts";
import { objectPrinter } from "../printers/output.ts";
import { rememberingWriter, tableStyle } from "../printers/tab-writer.ts";
import { list } from "../program/flag-values.ts";
import type { GlobalFlags } from "../program/global-flags.ts";

interface Flags extends GlobalFlags {
  readonly apiGroup?: string;
  readonly namespaced?: boolean;
  readonly verbs?: readonly string[];
  readonly categories?: readonly string[];
  readonly sortBy?: string;
  readonly output?: string;
  readonly cached?: boolean;
  readonly headers: boolean;
}

const formats = ["json", "kyaml", "name", "wide", "yaml"] as const;

const isShown = (r: Resource, { apiGroup, namespaced, verbs = [], categories = [] }: Flags): boolean =>
  (apiGroup === undefined || r.group === apiGroup) &&
  (namespaced === undefined || r.namespaced === namespaced) &&
  r.verbs.length > 0 &&
  verbs.every((verb) => r.verbs.includes(verb)) &&
  categories.every((category) => r.categories.includes(category));

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** By group and name, or by the chosen column. */
const sorted = (resources: readonly Resource[], by: string | undefined): readonly Resource[] =>
  resources.toSorted((a, b) => {
    if (by === "kind") return compare(a.kind, b.kind);
    return (by === "name" ? 0 : compare(a.group, b.group)) || compare(a.plural, b.plural);
  });

const fullName = ({ plural, group }: Resource): string => (group === "" ? plural : `${plural}.${group}`);

function tableText(resources: readonly Resource[], { output, headers }: Flags): string {
  const isWide = output === "wide";
  const titles = ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND", ...(isWide ? ["VERBS", "CATEGORIES"] : [])];
  const rows = resources.map((r) => [
    r.plural,
    r.shortNames.join(","),
    apiVersionOf(r),
    String(r.namespaced),
    r.kind,
    ...(isWide ? [r.verbs.join(","), r.categories.join(",")] : []),
  ]);
  return rememberingWriter(tableStyle)([...(headers ? [titles] : []), ...rows]);
}

/** The list as an object of the discovery API. */
const asList = (resources: readonly Resource[]): unknown => ({
  kind: "APIResourceList",
  apiVersion: "v1",
  groupVersion: "",
  resources: resources.map(({ plural, singular, shortNames, categories, group, version, kind, namespaced, verbs }) => ({
    name: plural,
    singularName: singular,
    namespaced,
    ...(group === "" ? {} : { group }),
    version,
    kind,
    verbs,
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
  })),
});

async function print(args: readonly string[], flags: Flags): Promise<void> {
  const { output = "", sortBy } = flags;
  if (args.length > 0)
    throw new CliError(
      `unexpected arguments: [${args.join(" ")}]`,
      "See 'orrery api-resources -h' for help and examples",
    );
  if (sortBy && sortBy !== "name" && sortBy !== "kind") throw new CliError("--sort-by accepts only name or kind");
  const isText = ["", "wide", "name"].includes(output);
  const printer = isText ? undefined : await objectPrinter(flags, formats);
  const { mapper } = await session(flags);
  const all = await (flags.cached ? mapper.all() : mapper.refresh());
  const shown = sorted(
    all.filter((r) => isPreferred(r, all) && isShown(r, flags)),
    sortBy,
  );
  if (printer) process.stdout.write(printer(asList(shown)));
  else if (output === "name") for (const resource of shown) process.stdout.write(`${fullName(resource)}\n`);
  else process.stdout.write(tableText(shown, flags));
}

/** Adds `api-resources` to the program. */
export const register = (program: Command): void => {
  program
    .command("api-resources [args...]")
    .usage("[options]")
    .option("--api-group <group>", "only those of this group; empty for the core group")
    .option("--namespaced", "only those whose objects are in namespaces; =false for the others")
    .option("--verbs <verbs>", "only those that support these verbs", list)
    .option("--categories <names>", "only those in these categories", list)
    .option("--sort-by <column>", "name or kind")
    .option("-o, --output <format>", `one of: ${formats.join(", ")}`)
    .option("--no-headers", "without the line of column names")
    .option("--cached", "use the cached list")
    .option("--show-managed-fields", "without effect, as resources have none")
    .addHelpText(
      "after",
      "\nExamples:\n  orrery api-resources --namespaced=false\n  orrery api-resources -o wide --api-group=apps",
    )
    .action(print);
};
