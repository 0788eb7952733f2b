// An OpenAPI version 2 document in Protocol Buffers, by the message definitions of gnostic; older kubectls request it.
// Pure.

type Json = Readonly<Record<string, unknown>>;

/**
 * Writes from the end to the beginning: the content of a message is written before its length, so that nothing is
 * copied. Fields may come in any order; lists are written last to first.
 */
interface Writer {
  text(number: number, value: string): void;
  truth(number: number): void;
  /** A message inside the message. */
  field(number: number, content: () => void): void;
  /** All that was written, from its beginning. */
  bytes(): Buffer;
}

function backwardsWriter(): Writer {
  let bytes = Buffer.alloc(1 << 20);
  let at = bytes.length;
  const room = (size: number): void => {
    if (at >= size) return;
    const larger = Buffer.alloc(bytes.length * 2 + size);
    const from = larger.length - (bytes.length - at);
    bytes.copy(larger, from, at);
    [bytes, at] = [larger, from];
  };
  const number = (value: number): void => {
    let size = 1;
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
    room(size);
    at -= size;
    let rest = value;
    for (let i = 0; i < size; i++) {
      bytes[at + i] = (rest & 0x7f) | (i < size - 1 ? 0x80 : 0);
      rest = Math.floor(rest / 0x80);
    }
  };
  return {
    text(field, value) {
      const size = Buffer.byteLength(value);
      room(size);
      at -= size;
      bytes.write(value, at);
      number(size);
      number(field * 8 + 2);
    },
    truth(field) {
      number(1);
      number(field * 8);
    },
    field(name, content) {
      // Counted from the end, which stays where it is when the buffer grows.
      const after = bytes.length - at;
      content();
      number(bytes.length - at - after);
      number(name * 8 + 2);
    },
    bytes: () => bytes.subarray(at),
  };
}

type Encode = (to: Writer, number: number, value: unknown) => void;
/** A field of a message: its number, its name in JSON, and its encoding. `x-` matches all extensions. */
type Field = readonly [number: number, name: string, encode: Encode];

const text: Encode = (to, number, value) => {
  if (typeof value === "string") to.text(number, value);
};
const truth: Encode = (to, number, value) => {
  if (value === true) to.truth(number);
};
const list =
  (encode: Encode): Encode =>
  (to, number, values) => {
    for (const value of (values as readonly unknown[]).toReversed()) encode(to, number, value);
  };
/** A message with one value; for a choice, `inner` is its alternative. */
const within =
  (inner: number, encode: Encode): Encode =>
  (to, number, value) =>
    to.field(number, () => encode(to, inner, value));
/** A map is a list of messages of a name and a value. */
const map =
  (encode: Encode): Encode =>
  (to, number, values) => {
    for (const [name, value] of Object.entries(values as Json).toReversed())
      to.field(number, () => {
        encode(to, 2, value);
        to.text(1, name);
      });
  };

const extensionsIn = (message: Json): Json =>
  Object.fromEntries(Object.entries(message).filter(([name]) => name.startsWith("x-")));

/** Writes the fields of a message, which are listed by their numbers. */
function fields(...all: readonly Field[]): (to: Writer, message: Json) => void {
  const reversed = all.toReversed();
  return (to, message) => {
    for (const [number, name, encode] of reversed) {
      const value = name === "x-" ? extensionsIn(message) : message[name];
      if (value !== undefined) encode(to, number, value);
    }
  };
}
function message(...all: readonly Field[]): Encode {
  const write = fields(...all);
  return (to, number, value) => to.field(number, () => write(to, value as Json));
}

/** Any value, as YAML, which JSON is too. */
const any: Encode = (to, number, value) => to.field(number, () => to.text(2, JSON.stringify(value)));

// Schemas contain schemas.
const schema: Encode = (to, number, value) => schemaMessage(to, number, value);
const properties = within(1, map(schema));
const schemaMessage = message(
  [1, "$ref", text],
  [2, "format", text],
  [4, "description", text],
  [16, "uniqueItems", truth],
  [19, "required", list(text)],
  [20, "enum", list(any)],
  [21, "additionalProperties", within(1, schema)],
  [22, "type", within(1, text)],
  [23, "items", within(1, schema)],
  [25, "properties", properties],
  [31, "x-", map(any)],
);

const body = message(
  [1, "description", text],
  [2, "name", text],
  [3, "in", text],
  [4, "required", truth],
  [5, "schema", schema],
);
/** What parameters in the query and in the path have in common. */
const named = [
  [1, "required", truth],
  [2, "in", text],
  [3, "description", text],
  [4, "name", text],
] as const;
const query = message(...named, [6, "type", text], [20, "uniqueItems", truth]);
const inPath = message(...named, [5, "type", text], [19, "uniqueItems", truth]);
const parameters: Readonly<Record<string, Encode>> = {
  body: within(1, within(1, body)),
  path: within(1, within(2, within(4, inPath))),
  query: within(1, within(2, within(3, query))),
};
const parameter: Encode = (to, number, value) => parameters[(value as { readonly in: string }).in]!(to, number, value);

const response = message([1, "description", text], [2, "schema", within(1, schema)]);
const operation = message(
  [1, "tags", list(text)],
  [3, "description", text],
  [5, "operationId", text],
  [6, "produces", list(text)],
  [7, "consumes", list(text)],
  [8, "parameters", list(parameter)],
  [9, "responses", within(1, map(within(1, response)))],
  [10, "schemes", list(text)],
  [13, "x-", map(any)],
);
const methods = ["get", "put", "post", "delete", "options", "head", "patch"];
const pathItem = message(...methods.map((method, i): Field => [i + 2, method, operation]), [
  9,
  "parameters",
  list(parameter),
]);

const info = message([1, "title", text], [2, "version", text]);
const apiKey = message([1, "type", text], [2, "name", text], [3, "in", text], [4, "description", text]);
const writeDocument = fields(
  [1, "swagger", text],
  [2, "info", info],
  [8, "paths", within(2, map(pathItem))],
  [9, "definitions", properties],
  [12, "security", list(within(1, map(message())))],
  [13, "securityDefinitions", within(1, map(within(2, apiKey)))],
);

/** The document as one message. */
export function encodeDocument(document: Json): Buffer {
  const to = backwardsWriter();
  writeDocument(to, document);
  return to.bytes();
}
