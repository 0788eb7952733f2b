// Continue tokens of lists.
import fc from "fast-check";
import { expect, test } from "vitest";
import { revision } from "../../../api/meta.ts";
import { parseToken, tokenOf } from "../../../apiserver/registry/listing.ts";

const prefix = "//pods/";
const encoded = (value: unknown): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

test("a token has the position of the next page", () => {
  const step = fc.stringMatching(/^[a-z0-9]([-a-z0-9.]{0,8}[a-z0-9])?$/);
  fc.assert(
    fc.property(step, step, fc.option(fc.integer({ min: 1 }), { nil: undefined }), (namespace, name, at) => {
      const from = { after: `${prefix}${namespace}/${name}`, ...(at !== undefined && { at: revision(at) }) };
      expect(parseToken(tokenOf(from, prefix), prefix)).toEqual(from);
    }),
  );
});

const v = "meta.k8s.io/v1";
const invalid = "invalid continue token: continue key is not valid";
const wrong = [
  ["invalid base64 characters", "a+b", `${invalid}: illegal base64 data at input byte 1`],
  ["truncated base64", "abcde", `${invalid}: illegal base64 data at input byte 4`],
  ["invalid JSON", encoded("hello"), `${invalid}: invalid character 'h' looking for beginning of value`],
  ["an empty token", encoded(""), `${invalid}: unexpected end of JSON input`],
  [
    "another version",
    encoded({ v: "v9", rv: 1, start: "a" }),
    `${invalid}: server does not recognize this encoded version v9`,
  ],
  ["no version", encoded({}), `${invalid}: server does not recognize this encoded version `],
  ["no revision", encoded({ v, start: "a" }), `${invalid}: incorrect encoded start resourceVersion (version ${v})`],
  ["no key", encoded({ v, rv: 1 }), `${invalid}: encoded start key empty (version ${v})`],
  ["a key outside the collection", encoded({ v, rv: 1, start: "../secrets" }), `${invalid}: ../secrets`],
  ["an empty path segment", encoded({ v, rv: 1, start: "a//b" }), `${invalid}: a//b`],
] as const;
for (const [what, token, message] of wrong)
  test(`a continue token is refused: ${what}`, () => expect(() => parseToken(token, prefix)).toThrow(message));
