// An OpenAPI version 2 document in Protocol Buffers, as gnostic defines them; older kubectls ask for it. Pure.

type Json = Readonly<Record<string, unknown>>;
/** Writes the fields of one sort of message. */
type Encode = (value: Json, to: Writer) => void;

/**
 * Writes from the end to the beginning: what is inside a message is there before its length has to be said, so nothing
 * is written twice. Fields of a message may come in any order; what is a list is written last to first.
 */
interface Writer {
  text(number: number, value: unknown): void;
  truth(number: number, value: unknown): void;
  /** A message inside the message. */
  field(number: number, content: () => void): void;
  /** What was written, from its beginning. */
  whole(): Buffer;
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
      if (typeof value !== "string") return;
      const size = Buffer.byteLength(value);
      room(size);
      at -= size;
      bytes.write(value, at);
      number(size);
      number(field * 8 + 2);
    },
    truth(field, value) {
      if (value !== true) return;
      number(1);
      number(field * 8);
    },
    field(name, content) {
      // Counted from the end, which stays where it is when the room grows.
      const after = bytes.length - at;
      content();
      number(bytes.length - at - after);
      number(name * 8 + 2);
    },
    whole: () => bytes.subarray(at),
  };
}

const texts = (to: Writer, number: number, values: unknown): void => {
  for (const value of ((values as readonly string[] | undefined) ?? []).toReversed()) to.text(number, value);
};
/** A message that may be missing. */
const inner = (to: Writer, number: number, value: unknown, encode: Encode): void => {
  if (value !== undefined) to.field(number, () => encode(value as Json, to));
};
const each = (to: Writer, number: number, values: unknown, encode: Encode): void => {
  for (const value of ((values as readonly Json[] | undefined) ?? []).toReversed()) inner(to, number, value, encode);
};
/** A map is a list of names and values. */
const named = (to: Writer, number: number, map: unknown, encode: Encode): void => {
  for (const [name, value] of Object.entries((map ?? {}) as Json).toReversed())
    to.field(number, () => {
      inner(to, 2, value, encode);
      to.text(1, name);
    });
};
/** Where a message is one of several sorts, the number says which. */
const sort =
  (number: number, encode: Encode): Encode =>
  (value, to) =>
    to.field(number, () => encode(value, to));

/** Any value, as the YAML that JSON is too. */
const any: Encode = (value, to) => to.text(2, JSON.stringify(value));
/** Everything that begins with `x-`. */
const extensions = (to: Writer, number: number, value: Json): void => {
  const found = Object.entries(value).filter(([name]) => name.startsWith("x-"));
  named(to, number, Object.fromEntries(found), any);
};

const properties: Encode = (all, to) => named(to, 1, all, schema);
const schema: Encode = (s, to) => {
  extensions(to, 31, s);
  inner(to, 25, s["properties"], properties);
  inner(to, 23, s["items"], sort(1, schema));
  if (s["type"] !== undefined) to.field(22, () => to.text(1, s["type"]));
  inner(to, 21, s["additionalProperties"], sort(1, schema));
  each(to, 20, s["enum"], any);
  texts(to, 19, s["required"]);
  to.truth(16, s["uniqueItems"]);
  to.text(4, s["description"]);
  to.text(2, s["format"]);
  to.text(1, s["$ref"]);
};

const body: Encode = (p, to) => {
  inner(to, 5, p["schema"], schema);
  to.truth(4, p["required"]);
  to.text(3, p["in"]);
  to.text(2, p["name"]);
  to.text(1, p["description"]);
};
const query: Encode = (p, to) => {
  to.truth(20, p["uniqueItems"]);
  to.text(6, p["type"]);
  to.text(4, p["name"]);
  to.text(3, p["description"]);
  to.text(2, p["in"]);
  to.truth(1, p["required"]);
};
const inPath: Encode = (p, to) => {
  to.truth(19, p["uniqueItems"]);
  to.text(5, p["type"]);
  to.text(4, p["name"]);
  to.text(3, p["description"]);
  to.text(2, p["in"]);
  to.truth(1, p["required"]);
};
/** A parameter is a body, or one of several other sorts. */
const parameter: Encode = (p, to) => {
  const other = sort(2, p["in"] === "path" ? sort(4, inPath) : sort(3, query));
  sort(1, p["in"] === "body" ? sort(1, body) : other)(p, to);
};

const response: Encode = (r, to) => {
  inner(to, 2, r["schema"], sort(1, schema));
  to.text(1, r["description"]);
};
const operation: Encode = (o, to) => {
  extensions(to, 13, o);
  texts(to, 10, o["schemes"]);
  inner(to, 9, o["responses"], (all) => named(to, 1, all, sort(1, response)));
  each(to, 8, o["parameters"], parameter);
  texts(to, 7, o["consumes"]);
  texts(to, 6, o["produces"]);
  to.text(5, o["operationId"]);
  to.text(3, o["description"]);
  texts(to, 1, o["tags"]);
};

const methods = { get: 2, put: 3, post: 4, delete: 5, options: 6, head: 7, patch: 8 } as const;
const pathItem: Encode = (item, to) => {
  each(to, 9, item["parameters"], parameter);
  for (const [method, number] of Object.entries(methods).toReversed()) inner(to, number, item[method], operation);
};

const key: Encode = (s, to) => {
  to.text(4, s["description"]);
  to.text(3, s["in"]);
  to.text(2, s["name"]);
  to.text(1, s["type"]);
};
const info: Encode = (i, to) => {
  to.text(2, i["version"]);
  to.text(1, i["title"]);
};

/** The whole document. */
export function encodeDocument(d: Json): Buffer {
  const to = backwardsWriter();
  inner(to, 13, d["securityDefinitions"], (all) => named(to, 1, all, sort(2, key)));
  each(to, 12, d["security"], (one) => named(to, 1, one, () => {}));
  inner(to, 9, d["definitions"], properties);
  inner(to, 8, d["paths"], (all) => named(to, 2, all, pathItem));
  inner(to, 2, d["info"], info);
  to.text(1, d["swagger"]);
  return to.whole();
}
