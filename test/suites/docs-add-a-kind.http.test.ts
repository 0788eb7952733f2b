// Follows docs/add-a-kind.md: writes its file and its line into a copy of the tree, type-checks them, and sends its
// requests to a server with the kind.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { listeningServer, type TestServer } from "./listening.ts";
import { type RawClient, rawClientOf, json, parsed } from "./raw-client.ts";

const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/add-a-kind.md"), "utf8");
const blocks = [...page.matchAll(/^```(\w+) ?(\S*)\n(.*?)^```$/gms)].map(([, language, name, text]) => ({
  ...{ language: language!, name: name!, text: text! },
}));
const only = (language: string, name = ""): string =>
  blocks.find((b) => b.language === language && b.name === name)!.text.trim();

/** A copy of the tree after the steps of the page. */
const tree = mkdtempSync(join(root, ".page-"));
let server: TestServer;
let { send }: Pick<RawClient, "send"> = {} as RawClient;
beforeAll(async () => {
  cpSync(join(root, "api"), join(tree, "api"), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(tree, "node_modules"));
  for (const { name, text } of blocks.filter((b) => b.language === "ts")) {
    const file = join(tree, name);
    mkdirSync(dirname(file), { recursive: true });
    const [imported, entry] = text.split("\n");
    const withLine = (list: string): string =>
      list.replace("\nimport ", `\n${imported}\nimport `).replace("[] = [\n", `$&${entry}\n`);
    writeFileSync(file, name === "api/builtin/kinds.ts" ? withLine(readFileSync(file, "utf8")) : text);
  }
  writeFileSync(join(tree, "tsconfig.json"), JSON.stringify({ extends: "../tsconfig.json", include: ["api"] }));
  server = await listeningServer();
  ({ send } = rawClientOf(server));
});
afterAll(async () => {
  await server.close();
  rmSync(tree, { recursive: true });
});

test("the file of the page type-checks, and the list contains the kind", async () => {
  const { stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), ["-p", tree], { encoding: "utf8" });
  expect(stdout).toBe("");
  const { builtinKinds } = (await import(join(tree, "api/builtin/kinds.ts"))) as {
    builtinKinds: readonly ResourceDefinition[];
  };
  expect(builtinKinds.map((r) => r.kind)).toContain("Backup");
});

test("the kind is served as described", async () => {
  const { backups } = (await import(join(tree, "api/example/backups.ts"))) as { backups: ResourceDefinition };
  server.kinds.add(backups);
  const path = "/apis/example.com/v1/namespaces/default/backups";
  const post = (yaml: string) => send(path, { method: "POST", headers: json, body: JSON.stringify(parse(yaml)) });
  expect(parsed(await post(only("yaml"))).spec).toEqual(JSON.parse(only("json")));
  const accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
  const table = parsed(await send(path, { headers: { accept } }));
  expect(table.columnDefinitions.map((c: { name: string }) => c.name).join(" ")).toBe(only("table"));
  expect(table.rows[0].cells.slice(0, 4)).toEqual(["nightly", "data", "Day", 0]);
  const refused = await post(only("yaml", "wrong"));
  expect([refused.status, parsed(refused).message]).toEqual([422, only("text")]);
});
