// Follows docs/add-a-scheduler-plugin.md word for word: compiles its code, runs its tests, schedules its pod.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parse } from "yaml";
import { nodes } from "../../../api/core/nodes.ts";
import { pods } from "../../../api/core/pods.ts";
import { key } from "../../../api/meta.ts";
import { conditionOf } from "../../../api/core/pod/status.ts";
import type { SchedulerPlugin } from "../../../scheduler/framework.ts";
import { type pod, running } from "./running.ts";

const root = join(import.meta.dirname, "../../..");
const page = readFileSync(join(root, "docs/add-a-scheduler-plugin.md"), "utf8");
interface Block {
  readonly language: string;
  readonly file: string | undefined;
  readonly text: string;
}
const blocks: readonly Block[] = [...page.matchAll(/^```(\w+)(?: file=(\S+))?\n(.*?)^```$/gms)].map(
  ([, language = "", file, text = ""]) => ({ language, file, text }),
);
const only = (language: string): string => blocks.find((b) => b.language === language && b.file === undefined)!.text;

/** Applies the added lines of a diff. */
function patched(text: string, diff: string): string {
  const lines = diff.trimEnd().split("\n");
  const before = lines.filter((l) => !l.startsWith("+")).map((l) => l.slice(1));
  const after = lines.map((l) => l.slice(1));
  expect(text).toContain(before.join("\n"));
  return text.replace(before.join("\n"), after.join("\n"));
}

/** The files of the page after all its steps. */
function written(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const { language, file, text } of blocks) {
    if (file === undefined) continue;
    const known = files.get(file) ?? (language === "diff" ? readFileSync(join(root, file), "utf8") : "");
    files.set(file, language === "diff" ? patched(known, text) : known + text);
  }
  return files;
}

const files = written();
const workspace = mkdtempSync(join(tmpdir(), "page-"));
afterAll(() => rmSync(workspace, { recursive: true }));

/** Resolves imports to the page's files, otherwise to the project's. */
for (const [file, text] of files) {
  const linked = text.replaceAll(/from "(\.[^"]+)"/g, (_, to: string) => {
    const target = join(dirname(file), to);
    return `from "${files.has(target) ? to : join(root, target)}"`;
  });
  mkdirSync(join(workspace, dirname(file)), { recursive: true });
  writeFileSync(join(workspace, file), linked);
}
const load = (file: string): Promise<unknown> => import(/* @vite-ignore */ join(workspace, file));

// The page's own tests become tests of this file.
for (const file of files.keys()) if (file.endsWith(".test.ts")) await load(file);

test("the code of the page compiles", () => {
  const config = {
    extends: join(root, "tsconfig.json"),
    include: [],
    files: [...files.keys()],
  };
  writeFileSync(join(workspace, "tsconfig.json"), JSON.stringify(config));
  symlinkSync(join(root, "node_modules"), join(workspace, "node_modules"));
  writeFileSync(join(workspace, "package.json"), JSON.stringify({ type: "module" }));
  const { stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), ["-p", workspace], { encoding: "utf8" });
  expect(stdout).toBe("");
});

test("the pod of the page waits for its node, and is bound when the maintenance ends", async () => {
  const { defaultPlugins } = (await load("scheduler/plugins/default.ts")) as {
    readonly defaultPlugins: () => readonly SchedulerPlugin[];
  };
  const draft = parse(only("yaml")) as ReturnType<typeof pod>;
  const scheduler = await running([], { plugins: defaultPlugins() });
  const annotate = (value: string | null) =>
    scheduler.client.patch(nodes, key(undefined, "n1"), {
      type: "merge",
      patch: { metadata: { annotations: { "example.org/maintenance": value } } },
    });
  await annotate("planned");
  await scheduler.until(1);
  await scheduler.client.create(pods, draft);
  await scheduler.until(20);
  const { status } = await scheduler.client.get(pods, key("default", draft.metadata.name));
  expect(conditionOf(status?.conditions, "PodScheduled")?.message).toBe(only("text").trim());
  await annotate(null);
  await scheduler.until(21);
  await scheduler.stop();
  expect(await scheduler.bound()).toEqual({ [draft.metadata.name]: "n1" });
});

test("every stage of the framework is on the page", () => {
  const framework = readFileSync(join(root, "scheduler/framework.ts"), "utf8");
  const plugin = framework.slice(framework.indexOf("export interface SchedulerPlugin"));
  const methods = [...plugin.matchAll(/^ {2}(\w+)\?\(/gm)]
    .map(([, name]) => name!)
    .filter((name) => !["addPod", "removePod"].includes(name));
  const table = page.slice(0, page.indexOf("## 2.")).toLowerCase();
  expect(methods.length).toBeGreaterThan(12);
  expect(methods.filter((name) => !table.includes(name.toLowerCase()))).toEqual([]);
});
