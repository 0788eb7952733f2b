// The wire format of Protocol Buffers: a message is a list of numbered fields, each a number or bytes. Pure.

/** One field of a message: its number, and what stands under it. */
export interface Field {
  readonly number: number;
  readonly value: bigint | Uint8Array;
}

const truncated = (): Error => new Error("the message ends in the middle of a field");

function varint(bytes: Uint8Array, from: number): readonly [bigint, number] {
  let value = 0n;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[from + i];
    if (byte === undefined) throw truncated();
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte < 0x80) return [value, from + i + 1];
  }
  throw new Error("a number is longer than 64 bits");
}

function piece(bytes: Uint8Array, from: number, length: number): readonly [Uint8Array, number] {
  if (from + length > bytes.length) throw truncated();
  return [bytes.subarray(from, from + length), from + length];
}

/** The fields of a message in the order they stand there. */
export function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  let at = 0;
  while (at < bytes.length) {
    const [tag, begin] = varint(bytes, at);
    const number = Number(tag >> 3n);
    const kind = Number(tag & 7n);
    let value: bigint | Uint8Array;
    if (kind === 0) [value, at] = varint(bytes, begin);
    else if (kind === 1) [value, at] = piece(bytes, begin, 8);
    else if (kind === 5) [value, at] = piece(bytes, begin, 4);
    else if (kind === 2) {
      const [length, start] = varint(bytes, begin);
      [value, at] = piece(bytes, start, Number(length));
    } else throw new Error(`fields of wire type ${kind} are not spoken here`);
    yield { number, value };
  }
}

/** The bytes under a number, where a message is known to hold them. */
export function bytesAt(message: Uint8Array, number: number): Uint8Array | undefined {
  for (const field of fieldsOf(message))
    if (field.number === number && field.value instanceof Uint8Array) return field.value;
  return undefined;
}
/** The number under a number. */
export function numberAt(message: Uint8Array, number: number): bigint | undefined {
  for (const field of fieldsOf(message))
    if (field.number === number && typeof field.value === "bigint") return field.value;
  return undefined;
}
/** The text under a number; absent and empty are the same to protobuf. */
export const textAt = (message: Uint8Array, number: number): string =>
  Buffer.from(bytesAt(message, number) ?? new Uint8Array()).toString("utf8");
