// The store of metrics: compression, what queries see, and what survives crashes and limits.
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Labels } from "../../../monitoring/series/labels.ts";
import { matcher } from "../../../monitoring/series/matchers.ts";
import { ChunkWriter, decodeChunk } from "../../../monitoring/store/chunk.ts";
import { defaultLimits, type MetricStore, metricStore, type StoreLimits } from "../../../monitoring/store/store.ts";

const value = fc.oneof(
  fc.double(),
  fc.integer().map(Number),
  fc.constantFrom(0, -0, Number.NaN, 1 / 0, -1 / 0, 5e-324),
);
const step = fc.oneof(
  fc.constant(15_000),
  fc.integer({ min: 1, max: 40_000 }),
  fc.integer({ min: 1, max: 2 ** 31 - 1 }),
);

test("a chunk returns exactly the samples that were written", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(step, value), { minLength: 1, maxLength: 200 }), (steps) => {
      const writer = new ChunkWriter();
      let time = 1_700_000_000_000;
      const written: [number, number][] = [];
      for (const [delta, each] of steps) {
        time += delta;
        if (!writer.accepts(time)) continue;
        writer.append(time, each);
        written.push([time, each]);
      }
      const { times, values } = decodeChunk(writer.bytes, writer.count);
      expect([...times].map((t, i) => [t, values[i]])).toEqual(written);
    }),
    { seed: 7, numRuns: 300 },
  );
});

test("regular samples of a counter take few bytes", () => {
  const writer = new ChunkWriter();
  for (let i = 0; i < 240; i++) writer.append(1_700_000_000_000 + i * 15_000, i * 3);
  expect(writer.bytes.length / 240).toBeLessThan(2.5);
});

test("the end of a series is kept apart from a NaN", () => {
  const writer = new ChunkWriter();
  writer.append(1_000, Number.NaN);
  writer.end(2_000);
  writer.append(3_000, 1);
  expect([...decodeChunk(writer.bytes, 3).ended!]).toEqual([0, 1, 0]);
});

let folder = "";
const opened: MetricStore[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "orrery-metrics-"));
});
afterEach(() => {
  for (const store of opened.splice(0)) store.close();
  rmSync(folder, { recursive: true });
});
function open(limits: Partial<StoreLimits> = {}): MetricStore {
  const store = metricStore(folder, { ...defaultLimits, ...limits }, () => {});
  opened.push(store);
  return store;
}
const labels = (name: string, extra: Record<string, string> = {}): Labels =>
  Labels.ofRecord({ __name__: name, ...extra });
const add = (store: MetricStore, time: number, samples: Record<string, number>): void =>
  store.add({
    time,
    references: Object.keys(samples).map((name) => store.reference(labels(name))!),
    values: Object.values(samples),
    ended: [],
  });
async function read(store: MetricStore, name: string, from = 0, to = 1e15): Promise<string> {
  const found = await store.select([matcher("__name__", "=", name)], from, to);
  return found.map(({ times, values }) => [...times].map((t, i) => `${t}=${values[i]}`).join(" ")).join("; ");
}

test("samples are selected by time, whether they are in blocks or not", async () => {
  const store = open({ blockMs: 1_000 });
  for (let time = 1_000; time <= 6_000; time += 500) {
    add(store, time, { a: time / 500 });
    if (time === 3_000) await store.maintain(time);
  }
  expect(store.size().blocks).toBe(1);
  expect(await read(store, "a", 2_500, 4_000)).toBe("2500=5 3000=6 3500=7 4000=8");
  expect(await read(store, "a", 5_500)).toBe("5500=11 6000=12");
});

test("a killed process loses nothing that was added, in blocks and after them", async () => {
  const killed = open({ blockMs: 1_000 });
  add(killed, 1_000, { a: 1, b: 10 });
  add(killed, 2_500, { a: 2 });
  await killed.maintain(2_500);
  add(killed, 3_000, { a: 3, c: 30 });
  const next = open();
  expect(await read(next, "a")).toBe("1000=1 2500=2 3000=3");
  expect([await read(next, "b"), await read(next, "c")]).toEqual(["1000=10", "3000=30"]);
  add(next, 4_000, { a: 4 });
  expect(await read(open(), "a")).toBe("1000=1 2500=2 3000=3 4000=4");
});

test("half a record at the end of the journal is the only loss", async () => {
  const killed = open();
  add(killed, 1_000, { a: 1 });
  add(killed, 2_000, { a: 2 });
  const journal = join(folder, "journal-1");
  truncateSync(journal, readFileSync(journal).length - 3);
  appendFileSync(join(folder, "series"), '[99,"__name__","cut');
  const next = open();
  expect(await read(next, "a")).toBe("1000=1");
  add(next, 3_000, { a: 3 });
  expect(await read(open(), "a")).toBe("1000=1 3000=3");
});

test("a crash between a block and the removal of its journal doubles nothing", async () => {
  const store = open({ blockMs: 1_000 });
  add(store, 1_000, { a: 1 });
  add(store, 2_000, { a: 2 });
  const journal = readFileSync(join(folder, "journal-1"));
  await store.maintain(2_000);
  appendFileSync(join(folder, "journal-1"), journal);
  expect(await read(open(), "a")).toBe("1000=1 2000=2");
  expect(readdirSync(folder).toSorted()).toEqual(["block-1", "journal-2", "series"]);
});

test("a damaged block is left out", async () => {
  const store = open({ blockMs: 1_000 });
  add(store, 1_000, { a: 1 });
  await store.maintain(2_000);
  const block = join(folder, "block-1");
  truncateSync(block, readFileSync(block).length - 5);
  add(store, 3_000, { a: 3 });
  expect(await read(open(), "a")).toBe("3000=3");
});

test("what is older than the retention is removed, and the series that are gone with it", async () => {
  const store = open({ blockMs: 1_000, retentionMs: 5_000 });
  add(store, 1_000, { a: 1, old: 1 });
  await store.maintain(2_000);
  add(store, 3_000, { a: 3 });
  await store.maintain(7_500);
  expect(await read(store, "a")).toBe("3000=3");
  expect(store.size().series).toBe(1);
  expect(readdirSync(folder).filter((name) => name.startsWith("block"))).toEqual(["block-2"]);
});

test("the oldest blocks are removed when the disk is full", async () => {
  const store = open({ blockMs: 1_000, maxDiskBytes: 150 });
  for (let i = 1; i <= 4; i++) {
    add(store, i * 2_000, { a: i });
    await store.maintain(i * 2_000 + 1_500);
  }
  expect(await read(store, "a")).toBe("6000=3 8000=4");
});

test("blocks that do not fit into memory are read from the disk", async () => {
  const store = open({ blockMs: 1_000, maxCachedBytes: 0 });
  add(store, 1_000, { a: 1, b: 2 });
  await store.maintain(2_500);
  expect([await read(store, "a"), await read(store, "b")]).toEqual(["1000=1", "1000=2"]);
});

test("new series beyond the limit are dropped, known ones are not", async () => {
  const store = open({ maxSeries: 1 });
  add(store, 1_000, { a: 1 });
  expect(store.reference(labels("b"))).toBeUndefined();
  add(store, 2_000, { a: 2 });
  expect(await read(store, "a")).toBe("1000=1 2000=2");
});

test("a sample that is not later than the last one is dropped", async () => {
  const store = open();
  add(store, 2_000, { a: 1 });
  add(store, 2_000, { a: 2 });
  add(store, 1_000, { a: 3 });
  expect(await read(store, "a")).toBe("2000=1");
});

const selections: readonly (readonly [string, Parameters<typeof matcher>[], string])[] = [
  ["equal", [["job", "=", "x"]], "a b"],
  ["not equal", [["job", "!=", "x"]], "c d"],
  ["a list", [["__name__", "=~", "a|d"]], "a d"],
  ["a prefix", [["job", "=~", "x.*"]], "a b c"],
  ["no match of a prefix", [["job", "!~", "x.+"]], "a b d"],
  ["empty", [["job", "=", ""]], "d"],
  [
    "two",
    [
      ["job", "=", "x"],
      ["__name__", "!=", "a"],
    ],
    "b",
  ],
  ["nothing", [["job", "=", "z"]], ""],
];
for (const [what, matchers, expected] of selections)
  test(`series are selected by matchers: ${what}`, () => {
    const store = open();
    const all = [labels("a", { job: "x" }), labels("b", { job: "x" }), labels("c", { job: "xy" }), labels("d")];
    const references = all.map((each) => store.reference(each)!);
    store.add({ time: 1_000, references, values: [1, 1, 1, 1], ended: [] });
    const found = store.series(
      matchers.map((each) => matcher(...each)),
      0,
      2_000,
    );
    expect(found.map((each) => each.get("__name__")).join(" ")).toBe(expected);
  });
