// Scraping: from texts and objects to series, and the ends of series.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { metricTypes } from "../../../monitoring/scrape/metric-types.ts";
import { target } from "../../../monitoring/scrape/target.ts";
import { writeLabels } from "../../../monitoring/promql/values.ts";
import { defaultLimits, type MetricStore, metricStore } from "../../../monitoring/store/store.ts";

let folder = "";
let store: MetricStore;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "orrery-scrape-"));
  store = metricStore(folder, defaultLimits, () => {});
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});
async function stored(): Promise<readonly string[]> {
  const series = await store.select([], 0, 1e15);
  return series.map(
    ({ labels, times, values, ended }) =>
      `${writeLabels(labels)} ${[...times].map((t, i) => `${t}=${ended?.[i] === 1 ? "end" : values[i]}`).join(" ")}`,
  );
}
const pod = [
  ["pod", "web-1"],
  ["job", "pods"],
] as const;

test("every form of line becomes a sample with the labels of the target", async () => {
  const text = [
    "# HELP hits How many.",
    "# TYPE hits counter",
    'hits{path="/a b}",q="\\"\\n"} 3 1700000000000',
    "temp -1.5e3",
    "spaced  +Inf",
    'seconds_bucket{le="0.5"} 7 # {trace="}x"} 0.3 1700000000',
    "bad_value NaN",
    "",
  ].join("\n");
  const types = metricTypes();
  expect(target(store, types, pod).add(text, 1_000)).toBe(5);
  expect(await stored()).toEqual([
    '{__name__="bad_value", job="pods", pod="web-1"} 1000=NaN',
    '{__name__="hits", job="pods", path="/a b}", pod="web-1", q="\\"\\n"} 1000=3',
    '{__name__="seconds_bucket", job="pods", le="0.5", pod="web-1"} 1000=7',
    '{__name__="spaced", job="pods", pod="web-1"} 1000=Infinity',
    '{__name__="temp", job="pods", pod="web-1"} 1000=-1500',
  ]);
  expect(types.all().get("hits")).toEqual({ type: "counter", help: "How many.", unit: "" });
});

test("a program cannot take the labels of its target, unless they are honoured", async () => {
  target(store, metricTypes(), pod).add('a{pod="other"} 1', 1_000);
  target(store, metricTypes(), pod, true).add('b{pod="other"} 1', 1_000);
  expect(await stored()).toEqual([
    '{__name__="a", exported_pod="other", job="pods", pod="web-1"} 1000=1',
    '{__name__="b", job="pods", pod="other"} 1000=1',
  ]);
});

test("a series that is no longer exposed ends, and may come back", async () => {
  const one = target(store, metricTypes(), []);
  one.add("a 1\nb 1", 1_000);
  one.add("a 2", 2_000);
  one.add("a 3\nb 3", 3_000);
  expect(await stored()).toEqual(['{__name__="a"} 1000=1 2000=2 3000=3', '{__name__="b"} 1000=1 2000=end 3000=3']);
});

test("a bad text is refused as a whole", async () => {
  const one = target(store, metricTypes(), []);
  for (const text of ["a 1\nthis is no sample", "a 1\nb{", 'a 1\nb{x="1} 2', "a one"])
    expect(() => one.add(text, 1_000)).toThrow("a line is no sample");
  expect(await stored()).toEqual([]);
});

test("hostile lines take no long time", () => {
  const one = target(store, metricTypes(), []);
  const began = process.cpuUsage();
  for (const line of [`a{${'x="'.repeat(50_000)}`, `${"a".repeat(200_000)}{`, `a${" ".repeat(200_000)}x`])
    expect(() => one.add(line, 1_000)).toThrow("a line is no sample");
  expect(process.cpuUsage(began).user).toBeLessThan(2_000_000);
});
