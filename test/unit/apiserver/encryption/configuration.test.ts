// Encryption configurations: what is refused, in kube-apiserver's words and without showing a key.
import { expect, test } from "vitest";
import { readEncryptionConfiguration } from "../../../../apiserver/storage/encryption/configuration.ts";

const head = "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\n";
const secret = Buffer.alloc(32, 7).toString("base64");
const keys = `{keys: [{name: a, secret: "${secret}"}]}`;
const rule = (resources: string, providers: string): string => `{resources: [${resources}], providers: [${providers}]}`;
const read = (...rules: readonly string[]) => readEncryptionConfiguration(`${head}resources: [${rules.join(", ")}]`);

test("providers and resources", () => {
  const { resources } = read(rule("secrets, '*.apps'", `{aesgcm: ${keys}}, {aescbc: ${keys}}, {identity: {}}`));
  expect(resources).toMatchObject([
    {
      resources: ["secrets", "*.apps"],
      providers: [{ aesgcm: { keys: [{ name: "a", secret }] } }, { aescbc: {} }, { identity: {} }],
    },
  ]);
});

const identity = "{identity: {}}";
const keyed = (key: string): string => rule("secrets", `{aesgcm: {keys: [${key}]}}`);
test.each([
  [[], "resources: Required value: at least one resources is required"],
  [[rule("", identity)], "resources[0].resources: Required value: at least one resources[0].resources is required"],
  [[rule("secrets", "")], "resources[0].providers: Required value: at least one resources[0].providers is required"],
  [[rule("secrets", "{}")], "provider does not contain any of the expected providers: KMS, AESGCM, AESCBC, Secretbox"],
  [[rule("secrets", `{identity: {}, aesgcm: ${keys}}`)], "more than one provider specified in a single element"],
  [
    [rule("secrets", "{kms: {name: x}}")],
    "resources[0].providers[0].kms: Forbidden: this server calls no key management",
  ],
  [
    [rule("secrets", `{secretbox: ${keys}}`)],
    "resources[0].providers[0].secretbox: Forbidden: this server has no XSalsa20",
  ],
  [
    [rule("secrets", "{aesgcm: {keys: []}}")],
    "resources[0].providers[0].aesgcm.keys: Required value: at least one keys",
  ],
  [[keyed(`{secret: "${secret}"}`)], "keys[0].name: Required value: name is a mandatory field for a key"],
  [[keyed("{name: a}")], "keys[0].secret: Required value: secret is a mandatory field for a key"],
  [
    [keyed('{name: a, secret: "not base64"}')],
    'keys[0].secret: Invalid value: "REDACTED": secrets must be base64 encoded',
  ],
  [
    [keyed('{name: a, secret: "QUJD"}')],
    'Invalid value: "REDACTED": secret is not of the expected length, got 3, expected one of [16 24 32]',
  ],
  [
    [rule("Secrets", identity)],
    'resources[0].resources[0]: Invalid value: "Secrets": resource name should not contain',
  ],
  [
    [rule("'*'", identity)],
    "use '*.' to encrypt all the resources from core API group or *.* to encrypt all resources",
  ],
  [[rule("events.events.k8s.io", identity)], "Use 'events' instead in the config file"],
  [[rule("'secrets.*'", identity)], "encrypting the same resource across groups is not supported"],
  [[rule("secrets, secrets", identity)], "the same resource cannot be specified multiple times"],
  [
    [rule("secrets, '*.'", identity)],
    "using overlapping resources such as 'secrets' and '*.' in the same resource list",
  ],
  [[rule("secrets, '*.*'", identity)], "using overlapping resources"],
  [[rule("'*.'", identity), rule("secrets", identity)], 'resource "secrets" is masked by earlier rule "*."'],
  [[rule("'*.*'", identity), rule("'*.apps'", identity)], 'resource "*.apps" is masked by earlier rule "*.*"'],
  [["{resource: []}"], 'unknown field "resources[0].resource"'],
])("%j is refused", (rules, message) => {
  expect(() => read(...rules)).toThrow(message);
  expect(() => read(...rules)).not.toThrow(secret);
});
