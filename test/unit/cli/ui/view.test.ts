// What the screen of the interactive view shows, at 80x24, 40x10 and smaller.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { widthOf } from "../../../../cli/ui/cells.ts";
import { topPage } from "../../../../cli/ui/state.ts";
import { painted, plain } from "../../../../cli/ui/style.ts";
import { view } from "../../../../cli/ui/view.ts";
import { afterEvents, screen, started, typed } from "./states.ts";

const visible = (text: string): string => text.replaceAll(/\n\n+/g, "\n");

describe("at 80x24", () => {
  test("pods", () => {
    expect(
      visible(screen(started())),
    ).toBe(` Pods default [4]                                                      lab live
 NAME                  READY  STATUS            RESTARTS  AGE    IP
 api-0                 1/1    Running           0         90m    10.244.1.7
 web-6d4cf56db6-abcde  1/1    Running           2         5m     10.244.1.7
 web-6d4cf56db6-fghij  0/1    CrashLoopBackOff  10        5m     10.244.1.7
 worker-2              0/1    Pending           0         60s    10.244.1.7
 ? help enter open d describe y yaml l logs p previous s shell t tree e edit ctr`);
  });
  test.each([
    [":de", ":deploy   deployments"],
    ["/web", "/web"],
    ["j<ctrl-d>", " Delete pod default/web-6d4cf56db6-abcde? y/N"],
  ])("%s has the last line %s", (keys, last) => {
    expect(screen(typed(started(), keys).state).split("\n").at(-1)?.trimEnd()).toBe(last);
  });
  test.each([
    ["/web<enter>T", " Pods default [2/4] </web> RESTARTS↑                                   lab live"],
    ["0", " Pods all [0]                                                       lab loading"],
    ["d", " Describe pod/api-0                                                 lab loading"],
    ["?", " Help                                                                       lab"],
  ])("%s has the first line %s", (keys, first) => {
    expect(screen(typed(started(), keys).state).split("\n")[0]).toBe(first);
  });
});

describe("at 40x10", () => {
  const small = started({ columns: 40, rows: 10 });
  test("the name is narrowed last, and what does not fit is left out", () => {
    expect(visible(screen(small))).toBe(` Pods default [4]              lab live
 NAME              READY  STATUS  RESTA…
 api-0             1/1    Runni…  0
 web-6d…db6-abcde  1/1    Runni…  2
 web-6d…db6-fghij  0/1    Crash…  10
 worker-2          0/1    Pendi…  0
 ? help enter open d describe y yaml l l`);
  });
  test("the cursor stays in view", () => {
    const table = Array.from({ length: 50 }, (_, i) => ({ id: `${i}`, name: `p${i + 10}`, cells: [`p${i + 10}`] }));
    const lines = screen(typed(started({ columns: 40, rows: 10, table }), "<pagedown><pagedown>j").state).split("\n");
    expect(lines.slice(2, 9)).toEqual(Array.from({ length: 7 }, (_, i) => ` p${19 + i}`));
  });
  test("an error is shown in full where there is nothing else", () => {
    const opened = typed(small, "d").state;
    const message = "Error from server (Forbidden): pods is forbidden: no";
    const state = afterEvents(opened, { page: topPage(opened).id, type: "failed", message });
    expect(visible(screen(state))).toBe(` Describe pod/api-0    lab trying again
Error from server (Forbidden): pods is f
orbidden: no
 ? help y yaml e edit w wrap / filter :`);
  });
  test("an error stands below the rows that were read before", () => {
    const state = afterEvents(small, { page: 1, type: "failed", message: "the connection was refused" });
    expect(screen(state).split("\n").at(-1)).toBe(" the connection was refused");
    expect(screen(state)).toContain("api-0");
  });
});

test("long lines wrap, and wide characters are never divided", () => {
  const opened = typed(started({ columns: 9, rows: 6 }), "l").state;
  const state = afterEvents(opened, {
    page: topPage(opened).id,
    type: "lines",
    lines: ["日本語日本語"],
    replaces: true,
  });
  expect(screen(state).split("\n").slice(1, 3)).toEqual(["日本語日", "本語"]);
});

test("the row under the cursor is inverted also without colours", () => {
  const lines = view(started()).map((line) => painted(line, false));
  expect(lines[2]?.startsWith("\x1b[7m ")).toBe(true);
  for (const color of ["\x1b[2", "\x1b[3"]) expect(lines.join("")).not.toContain(color);
  expect(painted(view(started())[4]!, true)).toContain("\x1b[31mCrashLoopBackOff");
});

test("every line of every state has exactly the width of the terminal, and there are as many as it has rows", () => {
  const keys = fc.stringMatching(/^(?:[jkdyltxGg?0NAS:/]|<enter>|<esc>|<tab>|<ctrl-d>|<left>|<right>|web|日){0,12}$/);
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 100 }), fc.integer({ min: 1, max: 30 }), keys, (columns, rows, text) => {
      const lines = view(typed(started({ columns, rows }), text).state);
      expect(lines).toHaveLength(rows);
      for (const line of lines) expect(widthOf(plain(line))).toBe(columns);
    }),
    { numRuns: 300 },
  );
});
