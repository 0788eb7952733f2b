// Bundles the command line into one file, which starts in a third of the time of its sources, and the
// dashboard. Commands that create or run clusters stay outside: the launcher runs them from their sources.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { staleCheck } from "./stale-check.ts";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const out = join(root, "build");
const commands = join(root, "cli", "commands");

/** The sources among the modules of the bundle. */
const sourcesIn = (modules: readonly string[]): readonly string[] =>
  modules.filter((file) => file.startsWith(root) && !file.includes("node_modules")).map((file) => relative(root, file));

/** Commands that are loaded from their sources: they import the programs of a cluster. */
const fromSource =
  /^\.\/commands\/(up|down|status|node|image|component-logs|server|agent|csi|autoscaler|load-balancer|demo|test|cluster)\.ts$/;

/**
 * Writes the definitions of a JSON file one after the other, and returns a module whose default export has them as
 * properties, each read from there when it is used.
 */
function definitionsOnDemand(file: string): string {
  const texts = Object.entries(JSON.parse(readFileSync(file, "utf8")) as object).map(
    ([name, definition]) => [name, JSON.stringify(definition)] as const,
  );
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, "definitions.json"), texts.map(([, text]) => text).join(""));
  const lengths = Object.fromEntries(texts.map(([name, text]) => [name, Buffer.byteLength(text)]));
  return `import { openSync, readSync } from "node:fs";
let file;
function read(at, length) {
  file ??= openSync(new URL("definitions.json", import.meta.url));
  const bytes = Buffer.alloc(length);
  readSync(file, bytes, 0, length, at);
  return JSON.parse(bytes.toString());
}
let end = 0;
const definitions = {};
for (const [name, length] of Object.entries(${JSON.stringify(lengths)})) {
  const at = end;
  end += length;
  Object.defineProperty(definitions, name, { enumerable: true, get: () => read(at, length) });
}
export { definitions as default };`;
}

/** A module with the exports of a built-in one, of which only those that are used are read. */
function builtinByProperty(name: string): string {
  const names = Object.keys(process.getBuiltinModule(name)!).filter((key) => /^[A-Za-z_$][\w$]*$/.test(key));
  const properties = names.filter((key) => key !== "default");
  return `const builtin = /* @__PURE__ */ process.getBuiltinModule(${JSON.stringify(name)});
const property = (name) => builtin[name];
${properties.map((key) => `const $${key} = /* @__PURE__ */ property("${key}");`).join("\n")}
export { builtin as default, ${properties.map((key) => `$${key} as ${key}`).join(", ")} };`;
}

const bundle = await rolldown({
  input: join(root, "cli", "main.ts"),
  platform: "node",
  logLevel: "warn",
  // Otherwise the interactive view would load the development builds of React.
  transform: { define: { [["process", "env", "NODE_ENV"].join(".")]: '"production"' } },
  plugins: [
    {
      // A command needs few of the schemas; all of them take 4 MB of memory.
      name: "schemas-on-demand",
      load: (id) =>
        id.endsWith("/schemas.json") ? { code: definitionsOnDemand(id), moduleType: "js" as const } : null,
    },
    {
      // To import a built-in module is to read all its properties, of which some of `node:fs` load its streams: 7 ms.
      name: "builtins-by-property",
      resolveId: (source, importer, { kind }) =>
        kind === "import-statement" && isBuiltin(source) && !importer?.includes("rolldown/runtime")
          ? `\0builtin:${source}`
          : null,
      load: (id) =>
        id.startsWith("\0builtin:")
          ? {
              code: builtinByProperty(id.slice("\0builtin:".length)),
              moduleSideEffects: false,
              moduleType: "js" as const,
            }
          : null,
    },
    {
      name: "commands-from-source",
      resolveId: (source, importer) =>
        importer?.endsWith("cli/command-table.ts") && fromSource.test(source)
          ? { id: join(commands, source.slice("./commands/".length)), external: "absolute" as const }
          : null,
    },
    {
      // Commander loads it for subcommands that are programs of their own, which Orrery has none of: 5 ms.
      name: "no-child-process-in-commander",
      resolveId: (source, importer) =>
        importer?.includes("/commander/") && source === "node:child_process" ? "\0no-child-process" : null,
      load: (id) => (id === "\0no-child-process" ? "export {};" : null),
    },
    {
      name: "no-devtools-in-ink",
      resolveId: (source, importer) =>
        importer?.includes("/ink/") && source === "./devtools.js" ? "\0no-devtools" : null,
      load: (id) => (id === "\0no-devtools" ? "export {};" : null),
    },
  ],
});
const { output } = await bundle.write({
  dir: out,
  format: "esm",
  minify: true,
  entryFileNames: "[name].mjs",
  chunkFileNames: "[name].mjs",
  // One file for what every command needs, which the launcher runs, and one for what commands about objects do; the
  // rest is loaded when needed.
  codeSplitting: {
    groups: [
      { name: "program", test: /cli\/main\.ts$|rolldown\/runtime/ },
      { name: "objects", test: /cli\/commands\/get\.ts$/ },
    ],
  },
});

const page = await rolldown({
  input: join(root, "dashboard", "main.tsx"),
  platform: "browser",
  logLevel: "warn",
});
const written = await page.write({ dir: join(out, "dashboard"), format: "esm", minify: true });
const files = ["index.html", "style.css"];
for (const file of files) copyFileSync(join(root, "dashboard", file), join(out, "dashboard", file));

mkdirSync(out, { recursive: true });
const modules = [...output, ...written.output].flatMap((file) => (file.type === "chunk" ? file.moduleIds : []));
const sources = [
  ...sourcesIn(modules),
  ...files.map((file) => `dashboard/${file}`),
  "cli/setup/bundle.ts",
  "cli/setup/stale-check.ts",
];
writeFileSync(join(out, "sources.sh"), staleCheck("build/sources.sh", sources));
