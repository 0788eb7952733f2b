// The blocks of a store: on the disk, and in memory as far as there is room.
import type { Log } from "../../machinery/world.ts";
import type { Samples } from "../series/samples.ts";
import { type BlockIndex, decodeIndex, encodeBlock, positionOf } from "./block.ts";
import { decodeChunk } from "./chunk.ts";
import type { BlockFile, StoreFiles } from "./files.ts";
import type { CutChunks } from "./open-series.ts";

interface Block extends BlockFile {
  /** All of it, while it is not on the disk or there is room in memory. */
  readonly content?: Buffer | undefined;
}
/** What is kept. */
export interface BlockLimits {
  readonly retentionMs: number;
  /** Of blocks on the disk; the oldest are removed first. */
  readonly maxDiskBytes: number;
  /** Of blocks in memory, which save reads of the disk. */
  readonly maxCachedBytes: number;
}

const overlaps = ({ from, to }: BlockIndex, start: number, end: number): boolean => from <= end && to >= start;

/** Chunks of these series in a block, by their references. */
async function chunksIn(
  { number, index, content }: Block,
  references: readonly number[],
  files: StoreFiles,
): Promise<ReadonlyMap<number, Samples>> {
  const found = references.map((r) => [r, positionOf(index, r)] as const).filter(([, at]) => at >= 0);
  const ranges = found.map(([, at]) => [index.offsets[at]!, index.lengths[at]!] as const);
  const parts = content
    ? ranges.map(([offset, length]) => content.subarray(offset, offset + length))
    : await files.readBlock(number, ranges);
  return new Map(found.map(([r, at], i) => [r, decodeChunk(parts[i]!, index.counts[at]!)]));
}

export class Blocks {
  readonly #files: StoreFiles;
  readonly #limits: BlockLimits;
  readonly #log: Log;
  #blocks: readonly Block[];

  constructor(found: readonly BlockFile[], files: StoreFiles, limits: BlockLimits, log: Log) {
    this.#blocks = found;
    this.#files = files;
    this.#limits = limits;
    this.#log = log;
  }
  get count(): number {
    return this.#blocks.length;
  }
  get bytes(): number {
    return this.#blocks.reduce((sum, { bytes }) => sum + bytes, 0);
  }
  /** The time of the oldest sample; undefined without blocks. */
  get from(): number | undefined {
    return this.#blocks[0] && Math.min(...this.#blocks.map(({ index }) => index.from));
  }
  indices(): readonly BlockIndex[] {
    return this.#blocks.map(({ index }) => index);
  }
  has(reference: number, from: number, to: number): boolean {
    return this.#blocks.some(({ index }) => overlaps(index, from, to) && positionOf(index, reference) >= 0);
  }
  /** The samples of series in each block that has some of these times, the oldest block first. */
  read(references: readonly number[], from: number, to: number): Promise<readonly ReadonlyMap<number, Samples>[]> {
    const stored = this.#blocks.filter(({ index }) => overlaps(index, from, to));
    return Promise.all(stored.map((block) => chunksIn(block, references, this.#files)));
  }
  /** Adds a block, which is in memory until it is on the disk. */
  async add({ chunks, from, to }: CutChunks): Promise<void> {
    if (chunks.length === 0) return;
    const content = encodeBlock(chunks, from, to);
    const number = this.#files.nextJournal();
    this.#blocks = [...this.#blocks, { number, bytes: content.length, index: decodeIndex(content)!, content }];
    await this.#files
      .writeBlock(number, content)
      .catch((e: unknown) => this.#log("metrics of the last hour are only in memory", { error: (e as Error).message }));
  }
  /** Removes blocks that are too old or too many. Returns whether there were any. */
  async removeOld(now: number): Promise<boolean> {
    const { retentionMs, maxDiskBytes, maxCachedBytes } = this.#limits;
    let sum = 0;
    const kept: Block[] = [];
    for (const block of this.#blocks.toReversed()) {
      sum += block.bytes;
      if (block.index.to < now - retentionMs || sum > maxDiskBytes) await this.#files.removeBlock(block.number);
      else kept.unshift(sum <= maxCachedBytes ? block : { ...block, content: undefined });
    }
    const isLess = kept.length < this.#blocks.length;
    this.#blocks = kept;
    return isLess;
  }
}
