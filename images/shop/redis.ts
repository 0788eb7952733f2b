// Redis' protocol (RESP2), as much of it as the shop needs: commands in turn over one connection.
import { connect, type Socket } from "node:net";
import type { Address } from "./postgres.ts";

type Value = string | number | null | Error | readonly Value[];

/** The value that begins at an offset, and where it ends; undefined when the rest is not there yet. */
function parse(data: Buffer, at: number): readonly [value: Value, end: number] | undefined {
  const lineEnd = data.indexOf("\r\n", at);
  if (lineEnd < 0) return undefined;
  const line = data.toString("utf8", at + 1, lineEnd);
  const start = lineEnd + 2;
  const type = String.fromCharCode(data[at]!);
  if (type === "+") return [line, start];
  if (type === "-") return [new Error(line), start];
  if (type === ":") return [Number(line), start];
  const length = Number(line);
  if (length < 0) return [null, start];
  if (type === "$") {
    const end = start + length;
    return data.length < end + 2 ? undefined : [data.toString("utf8", start, end), end + 2];
  }
  const values: Value[] = [];
  let next = start;
  while (values.length < length) {
    const found = parse(data, next);
    if (found === undefined) return undefined;
    values.push(found[0]);
    next = found[1];
  }
  return [values, next];
}

async function* valuesOf(socket: Socket): AsyncGenerator<Value, never> {
  let rest = Buffer.alloc(0);
  for await (const chunk of socket) {
    rest = Buffer.concat([rest, chunk as Buffer]);
    for (let found = parse(rest, 0); found !== undefined; found = parse(rest, 0)) {
      yield found[0];
      rest = rest.subarray(found[1]);
    }
  }
  throw new Error("redis closed the connection");
}

const encode = (words: readonly string[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`;

interface Connection {
  readonly socket: Socket;
  readonly values: AsyncGenerator<Value, never>;
}

export class Redis {
  readonly #address: Address;
  #connection: Connection | undefined;
  /** Ends when the previous command has. */
  #previous: Promise<unknown> = Promise.resolve();

  constructor(address: Address) {
    this.#address = address;
  }

  command<T extends Value>(...words: readonly string[]): Promise<T> {
    const value = this.#previous.then(() => this.#send(words));
    this.#previous = value.catch(() => {});
    return value as Promise<T>;
  }

  async #open(): Promise<Connection> {
    const socket = connect(6379, this.#address.host).setNoDelay();
    // Errors reach the reader of values.
    socket.on("error", () => {});
    socket.on("timeout", () => socket.destroy(new Error("redis does not respond")));
    this.#connection = { socket, values: valuesOf(socket) };
    await this.#exchange(this.#connection, ["AUTH", this.#address.password]);
    return this.#connection;
  }

  async #exchange({ socket, values }: Connection, words: readonly string[]): Promise<Value> {
    socket.setTimeout(3000);
    socket.write(encode(words));
    const { value } = await values.next();
    socket.setTimeout(0);
    if (value instanceof Error) throw value;
    return value;
  }

  async #send(words: readonly string[]): Promise<Value> {
    try {
      return await this.#exchange(this.#connection ?? (await this.#open()), words);
    } catch (error) {
      this.#connection?.socket.destroy();
      this.#connection = undefined;
      throw new Error(`${this.#address.host}: ${(error as Error).message}`);
    }
  }
}
