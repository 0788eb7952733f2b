// The same command lines, run by kubectl and by orrery: exit codes, objects and output agree, or there is a reason why not.
// From the outcomes the page `docs/command-line.md` is made.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { parseSections, type Section } from "./comparison/lines.ts";
import { agreementOf, differences } from "./comparison/outcome.ts";
import { play } from "./comparison/play.ts";
import { type Compared, type ComparedSection, isSame, pageOf } from "./comparison/table.ts";
import { kubectlOf, versionOf } from "./kubectl.ts";

const page = join(import.meta.dirname, "../../docs/command-line.md");
const orrery = join(import.meta.dirname, "../../orrery");
const timeout = 600_000;
const sections = parseSections(readFileSync(join(import.meta.dirname, "comparison/commands.txt"), "utf8"));
const kubectl = kubectlOf(36);

async function compare(section: Section, kubectlPath: string): Promise<ComparedSection> {
  const [theirs, own] = await Promise.all([play({ path: kubectlPath }, section), play({ path: orrery }, section)]);
  const lines = section.lines.map((line, i): Compared => {
    const outcomes = { kubectl: theirs[i]!, orrery: own[i]! };
    return { ...line, ...outcomes, agreement: agreementOf(outcomes.kubectl, outcomes.orrery) };
  });
  return { title: section.title, lines };
}

/** What is wrong with a line: a difference without a reason, or a reason without a difference. */
function faultOf({ line, reason, agreement, ...outcomes }: Compared): readonly string[] {
  if (isSame(agreement) === (reason === undefined)) return [];
  if (reason !== undefined) return [`$ ${line}`, `  is the same, in spite of the reason: ${reason}`];
  return [`$ ${line}`, ...differences(outcomes.kubectl, outcomes.orrery)];
}

if (!kubectl) test("kubectl 1.36: not on this machine, so nothing was compared", () => {});
describe.runIf(kubectl !== undefined)("as kubectl", () => {
  const compared = new Map<string, ComparedSection>();
  // The launcher writes the bundle of the command line when it is missing or old.
  beforeAll(() => void execFileSync(orrery, ["version", "--client"], { stdio: "ignore" }), timeout);

  test.concurrent.for(sections.map((section) => [section.title, section] as const))(
    "%s",
    { timeout },
    async ([title, section]) => {
      const result = await compare(section, kubectl!.path);
      compared.set(title, result);
      expect(result.lines.flatMap(faultOf).join("\n")).toBe("");
    },
  );

  test("the page says how they agree", async () => {
    const all = sections.flatMap(({ title }) => compared.get(title) ?? []);
    expect(all.length).toBe(sections.length);
    await expect(pageOf(versionOf(kubectl!.path), all)).toMatchFileSnapshot(page);
  });
});
