// The embedded store of metrics: open chunks in memory, closed ones in blocks of an hour, bounded in time and bytes.
import type { Log } from "../../machinery/world.ts";
import { compareText, type Labels } from "../series/labels.ts";
import type { Matcher } from "../series/matchers.ts";
import { noSamples, type Samples, type SeriesSamples } from "../series/samples.ts";
import { type BlockLimits, Blocks } from "./blocks.ts";
import { decodeChunk } from "./chunk.ts";
import { type StoreFiles, storeFiles } from "./files.ts";
import type { Batch } from "./journal.ts";
import { SeriesTable } from "./open-series.ts";

/** What a store may keep. */
export interface StoreLimits extends BlockLimits {
  /** Samples of series beyond this number are dropped. */
  readonly maxSeries: number;
  /** Of a block. */
  readonly blockMs: number;
}
export const defaultLimits: StoreLimits = {
  retentionMs: 24 * 3_600_000,
  maxDiskBytes: 4 * 1024 ** 3,
  maxCachedBytes: 256 * 1024 ** 2,
  maxSeries: 500_000,
  blockMs: 3_600_000,
};

/** Samples by time. Queries see every batch that was added before them. */
export interface MetricStore {
  /** The reference of a series, which is created; undefined beyond the limit. */
  reference(labels: Labels): number | undefined;
  /** Adds samples of known series. A sample that is not later than the last one of its series is dropped. */
  add(batch: Batch): void;
  /** The samples of the selected series between two times, both included, in the order of their labels. */
  select(matchers: readonly Matcher[], from: number, to: number): Promise<readonly SeriesSamples[]>;
  /** The labels of the selected series with samples between two times. */
  series(matchers: readonly Matcher[], from: number, to: number): readonly Labels[];
  /** The time of the oldest sample; undefined when there is none. */
  oldest(): number | undefined;
  size(): StoreSize;
  /** Writes a block if it is time, and removes what is too old. Resolves when it is done. */
  maintain(now: number): Promise<void>;
  close(): void;
}
export interface StoreSize {
  readonly series: number;
  readonly blocks: number;
  readonly diskBytes: number;
  readonly openBytes: number;
}

function within({ times, values, ended }: Samples, from: number, to: number): Samples {
  let [start, end] = [0, times.length];
  while (start < end && times[start]! < from) start++;
  while (end > start && times[end - 1]! > to) end--;
  return { times: times.subarray(start, end), values: values.subarray(start, end), ended: ended?.subarray(start, end) };
}

/** One after the other, within a range of times. */
function joined(parts: readonly Samples[], from: number, to: number): Samples {
  const filled = parts.map((part) => within(part, from, to)).filter(({ times }) => times.length > 0);
  if (filled.length <= 1) return filled[0] ?? noSamples;
  const length = filled.reduce((sum, { times }) => sum + times.length, 0);
  const [times, values] = [new Float64Array(length), new Float64Array(length)];
  const ended = filled.some((part) => part.ended) ? new Uint8Array(length) : undefined;
  let at = 0;
  for (const part of filled) {
    times.set(part.times, at);
    values.set(part.values, at);
    if (part.ended) ended!.set(part.ended, at);
    at += part.times.length;
  }
  return { times, values, ended };
}

/** The series and blocks that a former process wrote. */
function recover(files: StoreFiles, limits: StoreLimits, log: Log) {
  const recovered = files.recover();
  const table = new SeriesTable();
  for (const [reference, labels] of recovered.series) table.add(labels, reference);
  for (const { index } of recovered.blocks)
    for (const reference of index.references) {
      const series = table.get(reference);
      if (series) series.last = Math.max(series.last, index.to);
    }
  for (const batch of recovered.batches) table.append(batch);
  return { table, blocks: new Blocks(recovered.blocks, files, limits, log) };
}

const keyOrder = (a: { readonly labels: Labels }, b: { readonly labels: Labels }): number =>
  compareText(a.labels.key, b.labels.key);

async function select(
  { table, blocks }: ReturnType<typeof recover>,
  matchers: readonly Matcher[],
  from: number,
  to: number,
): Promise<readonly SeriesSamples[]> {
  const references = table.select(matchers);
  // Before anything is awaited, so that a cut in the meantime changes nothing.
  const opened = references.map((reference) => {
    const { labels, open } = table.get(reference)!;
    const isNeeded = open.count > 0 && open.to >= from && open.from <= to;
    return { reference, labels, samples: isNeeded ? decodeChunk(open.bytes, open.count) : noSamples };
  });
  const parts = await blocks.read(references, from, to);
  return opened
    .map(({ reference, labels, samples }) => {
      const stored = parts.flatMap((part) => part.get(reference) ?? []);
      return { labels, ...joined([...stored, samples], from, to) };
    })
    .filter(({ times }) => times.length > 0)
    .toSorted(keyOrder);
}

/** Removes series without samples. */
function forgetSeries({ table, blocks }: ReturnType<typeof recover>, files: StoreFiles): void {
  const used = new Set(blocks.indices().flatMap((index) => [...index.references]));
  for (const [reference, { open }] of table.entries())
    if (open.count === 0 && !used.has(reference)) table.delete(reference);
  files.replaceSeries([...table.entries()].map(([reference, { labels }]) => [reference, labels] as const));
}

/** A store over the files of a folder. What a former process wrote there is read first. */
export function metricStore(folder: string, limits: StoreLimits, log: Log): MetricStore {
  const files = storeFiles(folder);
  const state = recover(files, limits, log);
  const { table, blocks } = state;
  let fresh: [number, Labels][] = [];
  let isFull = false;
  return {
    reference(labels) {
      const known = table.find(labels);
      if (known !== undefined) return known;
      if (table.size >= limits.maxSeries) {
        if (!isFull) log("new series of metrics are dropped", { limit: limits.maxSeries });
        isFull = true;
        return undefined;
      }
      const reference = table.add(labels);
      fresh.push([reference, labels]);
      return reference;
    },
    add(batch) {
      table.append(batch);
      try {
        if (fresh.length > 0) files.addSeries(fresh);
        fresh = [];
        files.addBatch(batch);
      } catch (e) {
        log("metrics are not written to the disk", { error: (e as Error).message });
      }
    },
    select: (matchers, from, to) => select(state, matchers, from, to),
    series(matchers, from, to) {
      const isPresent = (reference: number): boolean => {
        const { open } = table.get(reference)!;
        return (open.count > 0 && open.to >= from && open.from <= to) || blocks.has(reference, from, to);
      };
      const found = table.select(matchers).filter(isPresent);
      return found
        .map((reference) => table.get(reference)!)
        .toSorted(keyOrder)
        .map(({ labels }) => labels);
    },
    oldest: () => blocks.from ?? table.openSince,
    size: () => ({
      series: table.size,
      blocks: blocks.count,
      diskBytes: blocks.bytes,
      openBytes: [...table.entries()].reduce((sum, [, { open }]) => sum + open.bytes.length, 0),
    }),
    async maintain(now) {
      if (table.openSince !== undefined && now - table.openSince >= limits.blockMs) await blocks.add(table.cut());
      if (!(await blocks.removeOld(now))) return;
      forgetSeries(state, files);
      isFull = false;
    },
    close: files.close,
  };
}
