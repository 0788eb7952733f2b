// Compressed samples of one series: differences of differences of times, and values by exclusive or with the value
// before. Source: Pelkonen et al., "Gorilla: A Fast, Scalable, In-Memory Time Series Database", 2015, section 4.1; the
// widths of times are chosen for milliseconds.
import type { Samples } from "../series/samples.ts";
import { BitReader, BitWriter } from "./bits.ts";

const double = new Float64Array(1);
/** The halves of a double, for bitwise operations. */
const words = new Uint32Array(double.buffer);
const [low, high] = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? [0, 1] : [1, 0];

/** The NaN by which Prometheus marks the end of a series. */
const endHigh = 0x7ff00000;
const endLow = 2;

/** Of a difference of differences: its prefix, and how many bits follow. */
const widths = [7, 14, 20] as const;
const fits = (dod: number, width: number): boolean => dod >= -(2 ** (width - 1)) && dod < 2 ** (width - 1);
/** The largest difference of differences that can be written. */
const maxDod = 2 ** 31;

/** The samples of a series since the last cut. */
export class ChunkWriter {
  readonly #bits = new BitWriter();
  #delta = 0;
  #high = 0;
  #low = 0;
  #leading = 32;
  #trailing = 0;
  from = 0;
  to = 0;
  count = 0;

  get bytes(): Uint8Array {
    return this.#bits.bytes;
  }
  /** Whether a sample of this time can be added: it is later than the last, by less than 24 days. */
  accepts(time: number): boolean {
    return this.count === 0 || (time > this.to && Math.abs(time - this.to - this.#delta) < maxDod);
  }
  append(time: number, value: number): void {
    double[0] = value;
    this.#add(time, words[high]!, words[low]!);
  }
  /** Marks that the series ended before this time. */
  end(time: number): void {
    this.#add(time, endHigh, endLow);
  }
  #add(time: number, valueHigh: number, valueLow: number): void {
    if (this.count === 0) {
      this.from = time;
      this.#bits.write(Math.floor(time / 2 ** 32), 32);
      this.#bits.write(time >>> 0, 32);
      this.#bits.write(valueHigh, 32);
      this.#bits.write(valueLow, 32);
    } else {
      this.#addTime(time - this.to);
      this.#addValue((valueHigh ^ this.#high) >>> 0, (valueLow ^ this.#low) >>> 0);
    }
    this.#high = valueHigh;
    this.#low = valueLow;
    this.to = time;
    this.count++;
  }
  #addTime(delta: number): void {
    const dod = delta - this.#delta;
    this.#delta = delta;
    if (dod === 0) {
      this.#bits.write(0, 1);
      return;
    }
    const at = widths.findIndex((width) => fits(dod, width));
    const width = widths[at];
    if (width === undefined) {
      this.#bits.write(0b1111, 4);
      this.#bits.write(dod >>> 0, 32);
      return;
    }
    this.#bits.write((2 << (at + 1)) - 2, at + 2);
    this.#bits.write(dod & (2 ** width - 1), width);
  }
  #addValue(xorHigh: number, xorLow: number): void {
    if (xorHigh === 0 && xorLow === 0) {
      this.#bits.write(0, 1);
      return;
    }
    const leading = Math.min(31, xorHigh === 0 ? 32 + Math.clz32(xorLow) : Math.clz32(xorHigh));
    const trailing = xorLow === 0 ? 32 + trailingZeros(xorHigh) : trailingZeros(xorLow);
    const isWithin = leading >= this.#leading && trailing >= this.#trailing;
    if (!isWithin) {
      this.#leading = leading;
      this.#trailing = trailing;
    }
    const length = 64 - this.#leading - this.#trailing;
    this.#bits.write(isWithin ? 0b10 : 0b11, 2);
    if (!isWithin) this.#bits.write((leading << 6) | (length & 63), 11);
    writeShifted(this.#bits, { high: xorHigh, low: xorLow }, this.#trailing, length);
  }
}

const trailingZeros = (word: number): number => 31 - Math.clz32(word & -word);

/** The `length` bits above the `shift` lowest ones. */
function writeShifted(bits: BitWriter, word: { high: number; low: number }, shift: number, length: number): void {
  const { high: h, low: l } = word;
  const shiftedLow = shift >= 32 ? h >>> (shift - 32) : shift === 0 ? l : ((l >>> shift) | (h << (32 - shift))) >>> 0;
  if (length > 32) bits.write(shift >= 32 ? 0 : h >>> shift, length - 32);
  bits.write(shiftedLow, Math.min(length, 32));
}

function readDod(bits: BitReader): number {
  let ones = 0;
  while (ones < 4 && bits.bit() === 1) ones++;
  if (ones === 0) return 0;
  const width = widths[ones - 1];
  return width === undefined ? bits.read(32) | 0 : (bits.read(width) << (32 - width)) >> (32 - width);
}

/** Reads `count` samples. */
export function decodeChunk(bytes: Uint8Array, count: number): Samples {
  const bits = new BitReader(bytes);
  const times = new Float64Array(count);
  const values = new Float64Array(count);
  let ended: Uint8Array | undefined;
  let time = bits.read(32) * 2 ** 32 + bits.read(32);
  let [h, l] = [bits.read(32), bits.read(32)];
  let [delta, leading, length] = [0, 0, 0];
  for (let i = 0; i < count; i++) {
    if (i > 0) {
      delta += readDod(bits);
      time += delta;
      if (bits.bit() === 1) {
        if (bits.bit() === 1) {
          leading = bits.read(5);
          length = bits.read(6) || 64;
        }
        const shift = 64 - leading - length;
        const upper = length > 32 ? bits.read(length - 32) : 0;
        const lower = bits.read(Math.min(length, 32));
        if (shift >= 32) h ^= lower << (shift - 32);
        else {
          l ^= lower << shift;
          h ^= shift === 0 ? upper : (upper << shift) | (lower >>> (32 - shift));
        }
      }
    }
    times[i] = time;
    words[high] = h;
    words[low] = l;
    values[i] = double[0]!;
    if (h >>> 0 === endHigh && l >>> 0 === endLow) {
      ended ??= new Uint8Array(count);
      ended[i] = 1;
    }
  }
  return { times, values, ended };
}
