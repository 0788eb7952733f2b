// Architecture rules: allowed imports, banned functions, and file sizes.
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
/** Top-level folders and what each may import beside itself: folders, and folders of folders. */
const layers: Readonly<Record<string, readonly string[]>> = {
  api: [],
  machinery: ["api"],
  apiserver: ["api", "machinery"],
  scheduler: ["api", "machinery"],
  csi: ["api", "machinery"],
  controllers: ["api", "machinery", "csi/protocol"],
  kubelet: ["api", "machinery", "csi/protocol"],
  network: ["api", "machinery"],
  monitoring: ["api", "machinery"],
  cli: ["api", "machinery", "apiserver", "scheduler", "controllers", "csi", "kubelet", "network", "monitoring"],
  dashboard: [],
};

interface Ban {
  readonly pattern: RegExp;
  readonly allowed: RegExp;
  readonly instead: string;
}
const nowhere = /^$/;
const bans: readonly Ban[] = [
  {
    pattern: /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(/,
    allowed: /^machinery\/real-world\.ts$/,
    instead: "world.clock",
  },
  { pattern: /\bMath\.random\b|\brandomUUID\(/, allowed: /^machinery\/real-world\.ts$/, instead: "world.random" },
  {
    pattern: /(?<!\.)\bset(Timeout|Interval)\(/,
    allowed: /^(machinery\/real-world|dashboard\/api)\.ts$/,
    instead: "clock.sleep",
  },
  { pattern: /addEventListener\("abort"/, allowed: /^machinery\/abort\.ts$/, instead: "onAbort" },
  { pattern: /from "dockerode"/, allowed: /^(kubelet\/docker|cli\/cluster)\//, instead: "ContainerRuntime" },
  { pattern: /from "etcd3"/, allowed: /^apiserver\/storage\/etcd[\w-]*\.ts$/, instead: "Storage" },
  { pattern: /from "node:/, allowed: /^(?!api\/)/, instead: "nothing: api runs anywhere" },
  {
    pattern: /\bprocess\.(env|argv|exit\()/,
    allowed: /(^|\/)(main|authorities)\.ts$/,
    instead: "an option passed in from main.ts",
  },
  { pattern: /^export default /m, allowed: nowhere, instead: "a named export" },
  {
    pattern: /<any>|\bas any\b|: any\b/,
    allowed: /^machinery\/(action|controller)\.ts$/,
    instead: "unknown, or a type",
  },
  { pattern: /@ts-ignore|@ts-expect-error|FIXME|TODO/, allowed: nowhere, instead: "a finished change" },
];
const forbiddenNames = /(^|\/)(utils?|helpers?|common|types|index|misc|manager)\.ts$/;

const sources = Object.keys(layers)
  .flatMap((folder) => globSync(`${folder}/**/*.{ts,tsx}`, { cwd: root }))
  .filter((path) => !path.startsWith("api/generated/"))
  .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
const folderOf = (path: string): string => path.slice(0, path.indexOf("/"));
const importsOf = ({ path, text }: { readonly path: string; readonly text: string }): readonly string[] =>
  [...text.matchAll(/(?:from|import\() ?"(\.[^"]+)"/g)].map(([, to]) => normalize(join(dirname(path), to!)));

const mayImport = (from: string, to: string): boolean =>
  folderOf(to) === folderOf(from) || layers[folderOf(from)]!.some((allowed) => to.startsWith(`${allowed}/`));

test("imports follow the layers", () => {
  const wrong = sources.flatMap((s) =>
    importsOf(s)
      .filter((to) => !mayImport(s.path, to))
      .map((to) => `${s.path} must not import ${to}`),
  );
  expect(wrong).toEqual([]);
});

/** The cycles of a graph, each once, as a closed path. */
function cyclesIn(edges: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (node: string, above: readonly string[]): void => {
    if (above.includes(node)) cycles.push([...above.slice(above.indexOf(node)), node].join(" -> "));
    else if (!done.has(node)) {
      for (const to of edges.get(node) ?? []) visit(to, [...above, node]);
      done.add(node);
    }
  };
  for (const node of edges.keys()) visit(node, []);
  return cycles;
}

test("there are no cycles between files", () => {
  expect(cyclesIn(new Map(sources.map((s) => [s.path, importsOf(s)])))).toEqual([]);
});

test("there are no cycles between folders", () => {
  // Folders of the second level, and the files beside them.
  const part = (path: string): string => path.split("/").slice(0, 2).join("/");
  const edges = Map.groupBy(
    sources.flatMap((s) => importsOf(s).map((to) => [part(s.path), part(to)] as const)),
    ([from]) => from,
  );
  const between = [...edges].map(
    ([from, all]) => [from, [...new Set(all.map(([, to]) => to))].filter((to) => to !== from)] as const,
  );
  expect(cyclesIn(new Map(between))).toEqual([]);
});

test("time, randomness and engines are used only through their interfaces", () => {
  const wrong = sources.flatMap(({ path, text }) =>
    bans
      .filter((b) => b.pattern.test(text) && !b.allowed.test(path))
      .map((b) => `${path}: ${b.pattern.source} is banned, use ${b.instead}`),
  );
  expect(wrong).toEqual([]);
});

test("files are short and begin with a comment", () => {
  const wrong = sources.flatMap(({ path, text }) => [
    ...(text.split("\n").length > 401 ? [`${path} is longer than 400 lines`] : []),
    ...(text.startsWith("//") || text.startsWith("/**") || text.startsWith("#!")
      ? []
      : [`${path} does not begin with a comment`]),
    ...(forbiddenNames.test(path) ? [`${path} has a name without a subject`] : []),
    // The formatter wraps code; lines it leaves long are single strings.
    ...text
      .split("\n")
      .flatMap((line, i) =>
        line.length > 120 && /^\s*(\/\/|\/?\*)/.test(line) ? [`${path}:${i + 1} is too long`] : [],
      ),
  ]);
  expect(wrong).toEqual([]);
});
