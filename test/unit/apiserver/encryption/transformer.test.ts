// Encryption of values: Kubernetes' formats, which key writes and which read, and what is refused.
import fc from "fast-check";
import { expect, test } from "vitest";
import { revision } from "../../../../api/meta.ts";
import type { EncryptionConfiguration, Provider } from "../../../../apiserver/storage/encryption/configuration.ts";
import { type Encryption, encryption } from "../../../../apiserver/storage/encryption/transformer.ts";
import type { Stored } from "../../../../apiserver/storage/storage.ts";

const key = (name: string, letter = name) => ({ name, secret: Buffer.alloc(32, letter).toString("base64") });
const gcm = (...names: readonly string[]): Provider => ({ aesgcm: { keys: names.map((name) => key(name)) } });
const cbc = (...names: readonly string[]): Provider => ({ aescbc: { keys: names.map((name) => key(name)) } });
const identity: Provider = { identity: {} };
const secrets = (...providers: readonly Provider[]): EncryptionConfiguration => ({
  resources: [{ resources: ["secrets"], providers }],
});
const transformer = (configuration: EncryptionConfiguration): Encryption => encryption(configuration, () => {});
const by = (...providers: readonly Provider[]): Encryption => transformer(secrets(...providers));

const at = "//secrets/default/s";
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const text = (value: Uint8Array): string => Buffer.from(value).toString("latin1");
const entry = (value: Uint8Array, path = at): Stored => ({
  ...{ key: path, value },
  created: revision(1),
  modified: revision(1),
});
/** The value that a reader of kept bytes sees. Throws what the reader is told. */
const opened = (reader: Encryption, kept: Uint8Array, path = at): string =>
  text(reader.readable(entry(reader.open(path, kept), path)).value);
const none = "the encryption configuration of this server lacks the key";

test.each([
  ["aesgcm", "rZzfhIbFDu5hjZ8YHmeUbPAt3TXnZdm81HfP1UXXLYbMwTkAeBPEteNz0AWSVAjdCcFHg8c="],
  ["aescbc", "6dnMmRcjv3YwvmaFEunrqy5BBaToLdeyg36sZ6DVqTiirjJBTOAACjR55VESTG63"],
])("a value that Kubernetes has encrypted with %s", (cipher, base64) => {
  const secret = Buffer.from("0123456789abcdef0123456789abcdef").toString("base64");
  const reader = by({ [cipher]: { keys: [{ name: "k", secret }] } });
  const kept = Buffer.concat([Buffer.from(`k8s:enc:${cipher}:v1:k:`), Buffer.from(base64, "base64")]);
  expect(opened(reader, kept)).toBe('{"metadata":{"name":"s"}}');
});

test("every value is read as it was written, by each cipher and size of key", () => {
  const sizes = fc.constantFrom(16, 24, 32);
  fc.assert(
    fc.property(fc.uint8Array(), fc.constantFrom("aesgcm", "aescbc"), sizes, (value, cipher, size) => {
      const secret = Buffer.alloc(size, 1).toString("base64");
      const both = by({ [cipher]: { keys: [{ name: "a", secret }] } });
      const kept = both.seal(at, value);
      expect(text(kept).startsWith(`k8s:enc:${cipher}:v1:a:`)).toBe(true);
      expect(Buffer.compare(both.open(at, kept), value)).toBe(0);
    }),
  );
});

test("the first provider writes, all read, and what another than the first has written is stale", () => {
  const value = bytes("{}");
  const old = by(gcm("a")).seal(at, value);
  const older = by(cbc("c")).seal(at, value);
  const now = by(gcm("b", "a"), cbc("c"), identity);
  expect(text(now.seal(at, value))).toMatch(/^k8s:enc:aesgcm:v1:b:/);
  for (const [kept, isStale] of [
    [old, true],
    [older, true],
    [value, true],
    [now.seal(at, value), false],
  ] as const) {
    const read = now.open(at, kept);
    expect(text(read)).toBe("{}");
    expect(now.isStale(entry(read))).toBe(isStale);
  }
});

test("what was just written is not stale, until the key changes", () => {
  const writer = by(gcm("a"), identity);
  const value = bytes("{}");
  writer.seal(at, value);
  expect(writer.isStale(entry(value))).toBe(false);
  writer.use(secrets(gcm("b", "a")));
  expect(writer.isStale(entry(value))).toBe(true);
  // A key of the same name may be another.
  writer.use(secrets({ aesgcm: { keys: [key("a", "z")] } }));
  expect(writer.isStale(entry(value))).toBe(true);
});

test.each([
  ["another key of the same name", by({ aesgcm: { keys: [key("a", "z")] } }), "cipher: message authentication failed"],
  ["another name", by(gcm("b")), "no matching key was found for the provided AES transformer"],
  ["another cipher", by(cbc("a")), "no matching prefix found"],
  ["no encryption", by(identity), "identity transformer tried to read encrypted data"],
  ["no rule", transformer({ resources: [] }), "identity transformer tried to read encrypted data"],
])("with %s a value is refused, with what to do", (_name, reader, because) => {
  const kept = by(gcm("a")).seal(at, bytes("{}"));
  expect(() => opened(reader, kept)).toThrow(`unable to transform key "${at}": ${because}; ${none}`);
});

test("a value that is not encrypted is refused where that is not allowed", () => {
  expect(() => opened(by(gcm("a")), bytes("{}"))).toThrow("no matching prefix found");
  expect(opened(by(gcm("a"), identity), bytes("{}"))).toBe("{}");
});

test("a value with any changed bit is refused", () => {
  const writer = by(gcm("a"));
  const kept = writer.seal(at, bytes('{"data":{"password":"cGFzcw=="}}'));
  for (let bit = 0; bit < kept.length * 8; bit++) {
    const changed = new Uint8Array(kept);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    expect(() => opened(by(gcm("a")), changed)).toThrow("unable to transform key");
  }
  for (const length of [22, 30, kept.length - 1])
    expect(() => opened(by(gcm("a")), kept.subarray(0, length))).toThrow("unable to transform key");
});

test("a value in the place of another is refused", () => {
  const writer = by(gcm("a"));
  const kept = writer.seal("//secrets/default/one", bytes("{}"));
  expect(() => opened(writer, kept, "//secrets/default/two")).toThrow("message authentication failed");
});

test("two encryptions of one value have nothing in common", () => {
  const writer = by(gcm("a"));
  const [one, two] = [writer.seal(at, bytes("{}")), writer.seal(at, bytes("{}"))];
  expect(text(one.subarray(22, 34))).not.toBe(text(two.subarray(22, 34)));
});

test("a rule applies to its resources; an exact one before those of the group, and those before all", () => {
  const rules: EncryptionConfiguration = {
    resources: [
      { resources: ["secrets", "leases.coordination.k8s.io"], providers: [gcm("a")] },
      { resources: ["*.apps", "*."], providers: [gcm("b")] },
      { resources: ["*.*"], providers: [gcm("c")] },
    ],
  };
  const keyNameAt = (path: string): string | undefined =>
    /v1:(.):/.exec(text(transformer(rules).seal(path, bytes("{}"))))?.[1];
  expect(
    [
      ...["//secrets/n/s", "//configmaps/n/c", "/apps/deployments/n/d"],
      ...["/coordination.k8s.io/leases/n/l", "/batch/jobs/n/j"],
    ].map(keyNameAt),
  ).toEqual(["a", "b", "b", "a", "c"]);
  expect(text(transformer({ resources: [] }).seal("//secrets/n/s", bytes("{}")))).toBe("{}");
});

test("a key that comes later makes values readable", () => {
  const kept = by(gcm("b")).seal(at, bytes("{}"));
  const reader = by(gcm("a"));
  const unread = entry(reader.open(at, kept));
  expect(() => reader.readable(unread)).toThrow("unable to transform key");
  reader.use(secrets(gcm("a", "b")));
  expect(text(reader.readable(unread).value)).toBe("{}");
  expect(reader.isStale(reader.readable(unread))).toBe(true);
});

test("a value that cannot be read makes the configuration read again at once", () => {
  const kept = by(gcm("b")).seal(at, bytes("{}"));
  const renewed = [secrets(gcm("b", "a"))];
  const reader = encryption(
    secrets(gcm("a")),
    () => {},
    () => renewed.pop(),
  );
  expect(opened(reader, kept)).toBe("{}");
  expect(renewed).toEqual([]);
});
