// The files of a store: `series`, one line of labels for each reference; `journal-N`, the batches since block N-1;
// `block-N`. A block is written under another name first, and replaces its journal.
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { open, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Labels } from "../series/labels.ts";
import { type BlockIndex, decodeIndex, indexBytesIn, trailerBytes } from "./block.ts";
import { type Batch, decodeJournal, encodeRecord } from "./journal.ts";

/** A stored block. */
export interface BlockFile {
  readonly number: number;
  readonly bytes: number;
  readonly index: BlockIndex;
}

/** What was found at the start. */
export interface Recovered {
  readonly series: ReadonlyMap<number, Labels>;
  readonly blocks: readonly BlockFile[];
  readonly batches: readonly Batch[];
}

/** Writes and reads the files of one store. */
export interface StoreFiles {
  recover(): Recovered;
  addSeries(series: readonly (readonly [reference: number, labels: Labels])[]): void;
  /** Replaces the lines of all series. */
  replaceSeries(series: Iterable<readonly [reference: number, labels: Labels]>): void;
  addBatch(batch: Batch): void;
  /** Begins the next journal; returns the number of the former, which the block of its batches must have. */
  nextJournal(): number;
  /** Resolves when the block is stored and its journal is removed. */
  writeBlock(number: number, content: Buffer): Promise<void>;
  removeBlock(number: number): Promise<void>;
  readBlock(number: number, ranges: readonly (readonly [offset: number, length: number])[]): Promise<readonly Buffer[]>;
  close(): void;
}

const line = ([reference, { flat }]: readonly [number, Labels]): string => `${JSON.stringify([reference, ...flat])}\n`;
const numberIn = (name: string, kind: string): number => Number(name.slice(kind.length + 1));

/** Lines after a crash: the last may be cut off. */
function seriesIn(text: string): Map<number, Labels> {
  const lines = text.split("\n").slice(0, -1);
  return new Map(
    lines.map((each) => {
      const [reference, ...flat] = JSON.parse(each) as [number, ...string[]];
      return [reference, Labels.ofSorted(flat)];
    }),
  );
}

/** Reads only the index of a block; undefined for a damaged file. */
function readIndex(path: string): { readonly index: BlockIndex; readonly bytes: number } | undefined {
  const bytes = statSync(path).size;
  const file = openSync(path, "r");
  const tail = (length: number): Buffer => {
    const buffer = Buffer.alloc(Math.min(length, bytes));
    readSync(file, buffer, 0, buffer.length, bytes - buffer.length);
    return buffer;
  };
  try {
    const indexBytes = indexBytesIn(tail(trailerBytes));
    const index = indexBytes === undefined ? undefined : decodeIndex(tail(indexBytes));
    return index && { index, bytes };
  } finally {
    closeSync(file);
  }
}

/** The numbers of the files of a kind, in ascending order. */
const numbersOf = (folder: string, kind: string): readonly number[] =>
  readdirSync(folder)
    .filter((name) => new RegExp(`^${kind}-\\d+$`).test(name))
    .map((name) => numberIn(name, kind))
    .toSorted((a, b) => a - b);

/** The batches after the last block. */
function recoverBatches(
  folder: string,
  lastBlock: number,
): { readonly batches: readonly Batch[]; readonly last: number } {
  let last = lastBlock + 1;
  const batches = numbersOf(folder, "journal").flatMap((n) => {
    const path = join(folder, `journal-${n}`);
    if (n <= lastBlock) {
      // The process ended between the block and the removal of its journal.
      rmSync(path);
      return [];
    }
    const journal = decodeJournal(readFileSync(path));
    truncateSync(path, journal.bytes);
    last = n;
    return journal.batches;
  });
  return { batches, last };
}

/** The indices of all blocks. A damaged block is removed. */
const recoverBlocks = (folder: string): readonly BlockFile[] =>
  numbersOf(folder, "block").flatMap((number) => {
    const path = join(folder, `block-${number}`);
    const read = readIndex(path);
    if (!read) rmSync(path);
    return read ? [{ number, ...read }] : [];
  });

/** The files below a folder, which is created. Paths are read and written by their names only. */
export function storeFiles(folder: string): StoreFiles {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const pathOf = (name: string): string => join(folder, name);
  const [seriesPath, newSeriesPath] = [pathOf("series"), pathOf("series.new")];
  let number = 1;
  let journal = -1;
  const openJournal = (): void => {
    journal = openSync(pathOf(`journal-${number}`), "a", 0o600);
  };
  return {
    recover() {
      for (const name of readdirSync(folder)) if (name.endsWith(".new")) rmSync(pathOf(name));
      const series = existsSync(seriesPath) ? seriesIn(readFileSync(seriesPath, "utf8")) : new Map<number, Labels>();
      const blocks = recoverBlocks(folder);
      const { batches, last } = recoverBatches(folder, blocks.at(-1)?.number ?? 0);
      number = last;
      openJournal();
      return { series, blocks, batches };
    },
    addSeries: (series) => appendFileSync(seriesPath, series.map(line).join(""), { mode: 0o600 }),
    replaceSeries(series) {
      writeFileSync(newSeriesPath, [...series].map(line).join(""), { mode: 0o600 });
      renameSync(newSeriesPath, seriesPath);
    },
    addBatch: (batch) => void writeSync(journal, encodeRecord(batch)),
    nextJournal() {
      const former = number++;
      closeSync(journal);
      openJournal();
      return former;
    },
    async writeBlock(n, content) {
      const path = pathOf(`block-${n}`);
      await writeFile(`${path}.new`, content, { mode: 0o600, flush: true });
      await rename(`${path}.new`, path);
      for (const older of numbersOf(folder, "journal"))
        if (older <= n) await rm(pathOf(`journal-${older}`), { force: true });
    },
    removeBlock: (n) => rm(pathOf(`block-${n}`), { force: true }),
    async readBlock(n, ranges) {
      const file = await open(pathOf(`block-${n}`), "r");
      try {
        const buffers: Buffer[] = [];
        for (const [offset, length] of ranges) {
          const buffer = Buffer.alloc(length);
          await file.read(buffer, 0, length, offset);
          buffers.push(buffer);
        }
        return buffers;
      } finally {
        await file.close();
      }
    },
    close() {
      closeSync(journal);
    },
  };
}
