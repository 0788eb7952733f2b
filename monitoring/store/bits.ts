// Bits written to and read from bytes, the most significant first.

/** Grows as it is written. */
export class BitWriter {
  #bytes: Uint8Array;
  #length = 0;

  constructor(bytes = 16) {
    this.#bytes = new Uint8Array(bytes);
  }
  /** In bits. */
  get length(): number {
    return this.#length;
  }
  /** What was written so far. Later writes may change its last byte. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, (this.#length + 7) >>> 3);
  }
  /** The lowest `count` bits of an unsigned number, at most 32. */
  write(value: number, count: number): void {
    if ((this.#length + count + 7) >>> 3 > this.#bytes.length) {
      const larger = new Uint8Array(Math.ceil(this.#bytes.length * 1.5) + 8);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    const bytes = this.#bytes;
    let left = count;
    while (left > 0) {
      const free = 8 - (this.#length & 7);
      const taken = Math.min(left, free);
      const part = (value >>> (left - taken)) & ((1 << taken) - 1);
      bytes[this.#length >>> 3]! |= part << (free - taken);
      this.#length += taken;
      left -= taken;
    }
  }
}

/** Reads in the order of writing. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }
  bit(): number {
    const at = this.#at++;
    return (this.#bytes[at >>> 3]! >>> (7 - (at & 7))) & 1;
  }
  /** An unsigned number of at most 32 bits. */
  read(count: number): number {
    let value = 0;
    let left = count;
    while (left > 0) {
      const rest = 8 - (this.#at & 7);
      const taken = Math.min(left, rest);
      const part = (this.#bytes[this.#at >>> 3]! >>> (rest - taken)) & ((1 << taken) - 1);
      value = (value << taken) | part;
      this.#at += taken;
      left -= taken;
    }
    return value >>> 0;
  }
}
