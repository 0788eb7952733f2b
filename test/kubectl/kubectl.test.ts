// Unmodified kubectls against a server, every command of them: what each scenario is about, a file of its own tells.
// From what was tried the table in `docs/kubectl.md` is made.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listeningServer, type TestServer } from "../suites/listening.ts";
import { runningCluster } from "../suites/running-cluster.ts";
import { commandsOf, kubectlsIn, storiesOf, tableOf } from "./commands.ts";
import { configOf, type Kubectl, kubectls, runner } from "./kubectl.ts";
import { applying } from "./scenarios/applying.ts";
import { changing } from "./scenarios/changing.ts";
import { creating } from "./scenarios/creating.ts";
import { identity } from "./scenarios/identity.ts";
import { looking } from "./scenarios/looking.ts";
import { running } from "./scenarios/running.ts";
import { workloads } from "./scenarios/workloads.ts";
import { newContext, type Scenario } from "./scenario.ts";

const table = join(import.meta.dirname, "../../docs/kubectl.md");
const timeout = 300_000;
const found = kubectls();
/** By the name of a kubectl: the lines that were tried in each scenario. */
const tried = new Map<string, Map<string, readonly string[]>>();

function trials(kubectl: Kubectl): void {
  let withoutControllers: TestServer;
  let withControllers: TestServer;
  beforeAll(async () => {
    [withoutControllers, withControllers] = await Promise.all([listeningServer(), runningCluster()]);
  }, timeout);
  afterAll(() => Promise.all([withoutControllers.close(), withControllers.close()]), timeout);

  // Scenarios end in any order, and are told of in that of this table.
  const onNodes = { ...running, ...workloads };
  const all = { ...looking, ...creating, ...changing, ...applying, ...identity, ...onNodes };
  const lines = new Map<string, string[]>(Object.keys(all).map((what) => [what, []]));
  tried.set(kubectl.name, lines);
  const play = async (what: string, scenario: Scenario, server: TestServer): Promise<void> => {
    const namespace = what.replaceAll(/\W+/g, "-");
    await scenario(await newContext(kubectl, server, namespace, (line) => lines.get(what)!.push(line)));
  };
  for (const [what, scenario] of Object.entries(all))
    test.concurrent(what, () => play(what, scenario, what in onNodes ? withControllers : withoutControllers), timeout);
}

if (found.length === 0) test("kubectl: none on this machine, so nothing was tried with one", () => {});
for (const kubectl of found) describe(kubectl.name, () => trials(kubectl));

test.runIf(found.length > 0)(
  `the table prints what was tried with ${found.map(({ name }) => name).join(", ")}`,
  async () => {
    const commands = await commandsOf(runner(found.at(-1)!, configOf("/nowhere/kubeconfig")));
    const before = readFileSync(table, { encoding: "utf8", flag: "a+" });
    // A kubectl the page has no column of may have commands of its own; what it shares with the others was tried above.
    const known = kubectlsIn(before);
    const played = [...tried].filter(
      ([name, lines]) => known.includes(name) && [...lines.values()].some((commandLines) => commandLines.length > 0),
    );
    const columns = played.map(([name, lines]) => [name, storiesOf(lines, commands)] as const);
    const now = tableOf({ commands, columns: new Map(columns) }, before);
    expect(now.split("\n").filter((row) => row.includes("|  |"))).toEqual([]);
    await expect(now).toMatchFileSnapshot(table);
  },
  timeout,
);
