// PostgreSQL's protocol, as much of it as the shop needs: SCRAM authentication, statements with parameters, transactions.
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";

export interface Address {
  readonly host: string;
  readonly password: string;
}
type Row = Readonly<Record<string, unknown>>;
/** Runs one statement with parameters `$1`, `$2`, ..., and returns its rows. */
export type Query = <T = Row>(text: string, ...values: readonly (string | number)[]) => Promise<readonly T[]>;

interface Message {
  readonly type: string;
  readonly body: Buffer;
}

async function* messagesOf(socket: Socket): AsyncGenerator<Message, never> {
  let rest = Buffer.alloc(0);
  for await (const chunk of socket) {
    rest = Buffer.concat([rest, chunk as Buffer]);
    while (rest.length >= 5 && rest.length > rest.readInt32BE(1)) {
      const end = rest.readInt32BE(1) + 1;
      yield { type: String.fromCharCode(rest[0]!), body: rest.subarray(5, end) };
      rest = rest.subarray(end);
    }
  }
  throw new Error("the database closed the connection");
}

const int16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
const int32 = (value: number): Buffer => Buffer.from([value >> 24, value >> 16, value >> 8, value].map((b) => b & 255));
const text = (value: string): Buffer => Buffer.from(`${value}\0`);
const message = (type: string, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
};

/** The error in a message: the text of its field M. */
const errorOf = (body: Buffer): Error => {
  const fields = body.toString().split("\0");
  return new Error(fields.find((field) => field.startsWith("M"))?.slice(1) ?? "unknown error");
};

/** Converts a value by the object id of its type: numbers, booleans, JSON; all others stay text. */
function decode(type: number, value: string): unknown {
  if ([20, 21, 23].includes(type)) return Number(value);
  if (type === 16) return value === "t";
  return type === 114 || type === 3802 ? JSON.parse(value) : value;
}

interface Column {
  readonly name: string;
  readonly type: number;
}
function columnsOf(body: Buffer): readonly Column[] {
  let at = 2;
  return Array.from({ length: body.readInt16BE(0) }, () => {
    const end = body.indexOf(0, at);
    const column = { name: body.toString("utf8", at, end), type: body.readInt32BE(end + 7) };
    at = end + 19;
    return column;
  });
}
function rowOf(body: Buffer, columns: readonly Column[]): Row {
  let at = 2;
  return Object.fromEntries(
    columns.map(({ name, type }) => {
      const length = body.readInt32BE(at);
      const value = length < 0 ? null : decode(type, body.toString("utf8", at + 4, at + 4 + length));
      at += 4 + Math.max(0, length);
      return [name, value];
    }),
  );
}

const hmac = (key: Buffer, data: string): Buffer => createHmac("sha256", key).update(data).digest();

/** SCRAM-SHA-256 (RFC 5802): proves that the client knows the password, without sending it. */
function scram(password: string) {
  const bare = `n=,r=${randomBytes(18).toString("base64")}`;
  return {
    first: `n,,${bare}`,
    final(challenge: string): string {
      const {
        r: nonce,
        s: salt,
        i: iterations,
      } = Object.fromEntries(challenge.split(",").map((field) => [field[0]!, field.slice(2)]));
      const salted = pbkdf2Sync(password, Buffer.from(salt!, "base64"), Number(iterations), 32, "sha256");
      const clientKey = hmac(salted, "Client Key");
      const storedKey = createHash("sha256").update(clientKey).digest();
      const withoutProof = `c=biws,r=${nonce}`;
      const signature = hmac(storedKey, `${bare},${challenge},${withoutProof}`);
      return `${withoutProof},p=${Buffer.from(clientKey.map((byte, i) => byte ^ signature[i]!)).toString("base64")}`;
    },
  };
}

class Connection {
  readonly #socket: Socket;
  readonly #messages: AsyncGenerator<Message, never>;
  /** False after an error of the connection, not after one of a statement. */
  isUsable = true;

  constructor(host: string) {
    this.#socket = connect(5432, host).setNoDelay();
    // Errors reach the reader of messages.
    this.#socket.on("error", () => {});
    this.#socket.on("timeout", () => this.#socket.destroy(new Error("the database does not respond")));
    this.#messages = messagesOf(this.#socket);
  }

  async #next(): Promise<Message> {
    this.isUsable = false;
    const { value } = await this.#messages.next();
    this.isUsable = true;
    return value;
  }

  async authenticate(password: string): Promise<this> {
    this.#socket.setTimeout(5000);
    const startup = Buffer.concat([int32(196608), text("user"), text("shop"), text("database"), text("postgres\0")]);
    this.#socket.write(Buffer.concat([int32(startup.length + 4), startup]));
    const exchange = scram(password);
    for (;;) {
      const { type, body } = await this.#next();
      if (type === "E") throw errorOf(body);
      if (type === "Z") return this;
      if (type !== "R") continue;
      const data = body.toString("utf8", 4);
      const step = body.readInt32BE(0);
      if (step === 10) {
        const first = Buffer.from(exchange.first);
        this.#socket.write(message("p", text("SCRAM-SHA-256"), int32(first.length), first));
      } else if (step === 11) this.#socket.write(message("p", Buffer.from(exchange.final(data))));
    }
  }

  query: Query = async <T>(statement: string, ...values: readonly (string | number)[]) => {
    this.#socket.setTimeout(5000);
    const encoded = values.map((value) => Buffer.from(String(value)));
    const bound = encoded.flatMap((value) => [int32(value.length), value]);
    this.#socket.write(
      Buffer.concat([
        message("P", text(""), text(statement), int16(0)),
        message("B", text(""), text(""), int16(0), int16(encoded.length), ...bound, int16(0)),
        message("D", Buffer.from("P"), text("")),
        message("E", text(""), int32(0)),
        message("S"),
      ]),
    );
    let columns: readonly Column[] = [];
    let error: Error | undefined;
    const rows: Row[] = [];
    for (;;) {
      const { type, body } = await this.#next();
      if (type === "T") columns = columnsOf(body);
      else if (type === "D") rows.push(rowOf(body, columns));
      else if (type === "E") error = errorOf(body);
      else if (type === "Z") break;
    }
    this.#socket.setTimeout(0);
    if (error !== undefined) throw error;
    return rows as readonly T[];
  };

  close(): void {
    this.#socket.destroy();
  }
}

/** A database, reached over a few connections. */
export class Postgres {
  readonly #address: Address;
  #idle: Connection[] = [];
  #free = 4;
  #waiting: (() => void)[] = [];

  constructor(address: Address) {
    this.#address = address;
  }

  async #use<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    if (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#free--;
    let connection: Connection | undefined;
    try {
      connection = this.#idle.pop();
      connection ??= await this.#open();
      return await work(connection);
    } finally {
      if (connection?.isUsable) this.#idle.push(connection);
      // The database has gone: what is idle is as useless as this connection.
      else for (const useless of [connection, ...this.#idle.splice(0)]) useless?.close();
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }

  async #open(): Promise<Connection> {
    const connection = new Connection(this.#address.host);
    try {
      return await connection.authenticate(this.#address.password);
    } catch (error) {
      connection.close();
      throw new Error(`${this.#address.host}: ${(error as Error).message}`);
    }
  }

  query: Query = (statement, ...values) => this.#use((connection) => connection.query(statement, ...values));

  /** Runs the statements of `work` in a transaction, which is rolled back when it throws. */
  transaction<T>(work: (query: Query) => Promise<T>): Promise<T> {
    return this.#use(async ({ query }) => {
      await query("BEGIN");
      let result: T;
      try {
        result = await work(query);
      } catch (error) {
        await query("ROLLBACK");
        throw error;
      }
      await query("COMMIT");
      return result;
    });
  }
}
