// Follows docs/build-a-controller.md: writes its files into a copy of the tree, type-checks them, runs their tests, and
// runs the controller in a cluster.
import { spawnSync } from "node:child_process";
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parse } from "yaml";
import { deployments } from "../../api/apps/deployments.ts";
import type { Deployment, PodDisruptionBudget } from "../../api/generated/types.ts";
import { type Draft, key } from "../../api/meta.ts";
import { uncovered } from "../../api/rbac/coverage.ts";
import { controllerRolesIn } from "../../apiserver/bootstrap/roles/text.ts";
import { podDisruptionBudgets } from "../../api/policy/poddisruptionbudgets.ts";
import type * as Controllers from "../../controllers/controllers.ts";
import { componentMetrics } from "../../machinery/component-metrics.ts";
import { rightsOf } from "../../machinery/controller.ts";
import { controllerOptions } from "../sim/cluster.ts";
import { server, whileControlled } from "./controllers/running.ts";

const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/build-a-controller.md"), "utf8");
const blocks = [...page.matchAll(/^```(\w+) ?(\S*)\n(.*?)^```$/gms)].map(([, language, path, text]) => ({
  ...{ language: language!, path: path!, text: text! },
}));

/** A copy of the tree after the steps of the page. */
const tree = mkdtempSync(join(root, ".page-"));
afterAll(() => rmSync(tree, { recursive: true }));
for (const folder of ["api", "csi", "machinery", "node_modules"]) symlinkSync(join(root, folder), join(tree, folder));
cpSync(join(root, "controllers"), join(tree, "controllers"), { recursive: true, filter: (f) => !f.endsWith(".md") });
mkdirSync(join(tree, "test/unit/controllers"), { recursive: true });
symlinkSync(join(root, "test/unit/controllers/world.ts"), join(tree, "test/unit/controllers/world.ts"));
writeFileSync(
  join(tree, "tsconfig.json"),
  JSON.stringify({ extends: "../tsconfig.json", include: ["controllers", "test"], compilerOptions: { noEmit: true } }),
);

/** Adds an import after the first one, and an entry to the list of controllers. */
function withLines(file: string, lines: string): string {
  const [imported = "", entry = ""] = lines.split("\n");
  return file.replace("\nimport ", `\n${imported}\nimport `).replace("  deploymentController,\n", `$&${entry}\n`);
}
for (const { language, path, text } of blocks.filter((b) => b.path !== "")) {
  const file = join(tree, path);
  mkdirSync(dirname(file), { recursive: true });
  const isList = path === "controllers/controllers.ts";
  writeFileSync(file, isList ? withLines(readFileSync(file, "utf8"), text) : text);
  expect(language).toBe("ts");
}

// The page's own tests become tests of this file.
await import(join(tree, "test/unit/controllers/budget.test.ts"));
const { runControllers, controllers } = (await import(join(tree, "controllers/controllers.ts"))) as typeof Controllers;
const roles = controllerRolesIn("orrery.dev:controller:", blocks.find((b) => b.language === "text")!.text);

test("the files of the page type-check", () => {
  expect(globSync("controllers/budget/*.ts", { cwd: tree })).toHaveLength(2);
  const { stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), ["-p", tree], { encoding: "utf8" });
  expect(stdout).toBe("");
});

test("the role of the page has the rights that the declaration implies", () => {
  const budget = controllers(controllerOptions).find(({ name }) => name === "budget")!;
  const rights = rightsOf(budget).map(({ group, resource, verbs }) => ({
    ...{ apiGroups: [group], resources: [resource], verbs: [...verbs] },
  }));
  expect(
    uncovered(
      roles.flatMap(([, { rules }]) => rules ?? []),
      rights,
    ),
  ).toEqual([]);
});

test("the controller of the page works as described", async () => {
  const running = await server();
  const { client, clock, pass } = running;
  const metrics = componentMetrics(clock);
  const draft = parse(blocks.find((b) => b.language === "yaml")!.text) as Draft<Deployment>;
  const budgets = async (): Promise<readonly PodDisruptionBudget[]> => (await client.list(podDisruptionBudgets)).items;
  const web = key("default", "web");
  await whileControlled({ ...running, runControllers, roles }, { metrics }, async () => {
    await client.create(deployments, draft);
    await pass(5);
    expect((await budgets()).map((b) => [b.metadata.name, b.spec.minAvailable])).toEqual([["web", 1]]);
    await client.delete(podDisruptionBudgets, web);
    await pass(5);
    expect(await budgets()).toHaveLength(1);
    const patch = { metadata: { annotations: { "example.com/min-available": "50%" } } };
    await client.patch(deployments, web, { type: "merge", patch });
    await pass(5);
    expect((await budgets()).map((b) => b.spec.minAvailable)).toEqual(["50%"]);
    await client.delete(deployments, web);
    await pass(5);
    expect(await budgets()).toEqual([]);
    expect(await metrics.metrics()).toMatch(/workqueue_adds_total\{name="budget"\} [1-9]/);
  });
});
