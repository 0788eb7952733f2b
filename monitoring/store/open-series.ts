// The series of a store, each with the chunk of its samples since the last block.
import type { Labels } from "../series/labels.ts";
import type { Matcher } from "../series/matchers.ts";
import type { BlockChunk } from "./block.ts";
import { ChunkWriter } from "./chunk.ts";
import type { Batch } from "./journal.ts";
import { type SeriesIndex, seriesIndex } from "./series-index.ts";

export interface OpenSeries {
  readonly labels: Labels;
  open: ChunkWriter;
  /** The time of its last sample. */
  last: number;
}

/** The open chunks, in ascending order of their references, and their limits of time. */
export interface CutChunks {
  readonly chunks: readonly BlockChunk[];
  readonly from: number;
  readonly to: number;
}

/** All series by their references. */
export class SeriesTable {
  readonly #series = new Map<number, OpenSeries>();
  readonly #byKey = new Map<string, number>();
  readonly #index: SeriesIndex = seriesIndex();
  #next = 1;
  /** The time of the first sample in an open chunk. */
  openSince: number | undefined;

  get size(): number {
    return this.#series.size;
  }
  get(reference: number): OpenSeries | undefined {
    return this.#series.get(reference);
  }
  entries(): Iterable<readonly [number, OpenSeries]> {
    return this.#series;
  }
  select(matchers: readonly Matcher[]): readonly number[] {
    return this.#index.select(matchers);
  }
  find(labels: Labels): number | undefined {
    return this.#byKey.get(labels.key);
  }
  add(labels: Labels, reference = this.#next): number {
    this.#series.set(reference, { labels, open: new ChunkWriter(), last: Number.NEGATIVE_INFINITY });
    this.#byKey.set(labels.key, reference);
    this.#index.add(reference, labels);
    this.#next = Math.max(this.#next, reference + 1);
    return reference;
  }
  delete(reference: number): void {
    const { labels } = this.#series.get(reference)!;
    this.#series.delete(reference);
    this.#byKey.delete(labels.key);
    this.#index.delete(reference, labels);
  }
  /** Adds the samples that are later than the last of their series. */
  append({ time, references, values, ended }: Batch): void {
    this.openSince ??= time;
    const accept = (reference: number): OpenSeries | undefined => {
      const one = this.#series.get(reference);
      if (!one || time <= one.last || !one.open.accepts(time)) return undefined;
      one.last = time;
      return one;
    };
    for (const [i, reference] of references.entries()) accept(reference)?.open.append(time, values[i]!);
    for (const reference of ended) accept(reference)?.open.end(time);
  }
  /** Takes the open chunks out; each series begins a new one. */
  cut(): CutChunks {
    const chunks: BlockChunk[] = [];
    let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const [reference, one] of [...this.#series].toSorted(([a], [b]) => a - b)) {
      const { open } = one;
      if (open.count === 0) continue;
      chunks.push({ reference, count: open.count, bytes: open.bytes });
      from = Math.min(from, open.from);
      to = Math.max(to, open.to);
      one.open = new ChunkWriter();
    }
    this.openSince = undefined;
    return { chunks, from, to };
  }
}
