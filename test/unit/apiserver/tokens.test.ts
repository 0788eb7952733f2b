// Service account tokens: claims, validity and signatures.
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { ApiObject, Instant } from "../../../api/meta.ts";
import {
  bearer,
  type Claims,
  claimsOf,
  disowned,
  unbound,
  untimely,
} from "../../../apiserver/authentication/claims.ts";
import { signingKey } from "../../../apiserver/authentication/signing.ts";

const at = (seconds: number): Instant => (1_000_000_000 + seconds * 1000) as Instant;
const object = (name: string, uid: string, deletedAt?: Instant): ApiObject =>
  ({
    kind: "X",
    metadata: {
      name,
      uid,
      namespace: "shop",
      ...(deletedAt !== undefined && { deletionTimestamp: new Date(deletedAt).toISOString() }),
    },
  }) as unknown as ApiObject;
const robot = object("robot", "u1");
const options = { issuer: "https://us", id: "j", audiences: ["them"], seconds: 600, bound: {} };
const claims = claimsOf(robot, options, at(0));

test("claims of a token: subject, audiences and expiry", () => {
  const bound = { node: { name: "n" }, pod: { name: "p", uid: "u2" } };
  expect(claimsOf(robot, { ...options, bound, warnAfter: 60 }, at(0))).toEqual({
    iss: "https://us",
    sub: "system:serviceaccount:shop:robot",
    aud: ["them"],
    iat: 1_000_000,
    nbf: 1_000_000,
    exp: 1_000_600,
    jti: "j",
    "kubernetes.io": {
      namespace: "shop",
      serviceaccount: { name: "robot", uid: "u1" },
      ...bound,
      warnafter: 1_000_060,
    },
  });
});
test("the user of a token is the account with its bound objects", () => {
  const bound = { node: { name: "n" }, pod: { name: "p", uid: "u2" } };
  expect(bearer(claimsOf(robot, { ...options, bound }, at(0)))).toEqual({
    name: "system:serviceaccount:shop:robot",
    uid: "u1",
    groups: ["system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"],
    extra: {
      "authentication.kubernetes.io/credential-id": ["JTI=j"],
      "authentication.kubernetes.io/node-name": ["n"],
      "authentication.kubernetes.io/pod-name": ["p"],
      "authentication.kubernetes.io/pod-uid": ["u2"],
    },
  });
});

const times = [
  ["valid from its issue time", 0, undefined],
  ["valid with a clock skew of one minute", -60, undefined],
  ["not valid with a larger clock skew", -61, "service account token is not valid yet"],
  ["valid until one minute after expiry", 660, undefined],
  ["expired after that", 661, "service account token has expired"],
] as const;
for (const [what, seconds, because] of times)
  test(`validity: ${what}`, () => expect(untimely(claims, at(seconds))).toBe(because));

const accounts = [
  ["the account exists", robot, undefined],
  [
    "an account of the same name with another uid",
    object("robot", "u9"),
    "service account UID (u9) does not match claim (u1)",
  ],
  ["an account deleted up to a minute ago", object("robot", "u1", at(-60)), undefined],
  ["an account deleted longer ago", object("robot", "u1", at(-61)), "service account shop/robot has been deleted"],
] as const;
for (const [what, account, because] of accounts)
  test(`account: ${what}`, () => expect(disowned(claims, account, at(0))).toBe(because));

const bindings = [
  ["the bound object exists", object("p", "u2"), undefined],
  ["the bound object is missing", undefined, "service account token has been invalidated"],
  ["the bound object was deleted long ago", object("p", "u2", at(-61)), "service account token has been invalidated"],
  [
    "a bound object of the same name with another uid",
    object("p", "u3"),
    "pod UID (u3) does not match service account pod ref claim (u2)",
  ],
] as const;
for (const [what, pod, because] of bindings)
  test(`bound object: ${what}`, () => expect(unbound("pod", { name: "p", uid: "u2" }, pod, at(0))).toBe(because));

const pem = (key: KeyObject): string => key.export({ format: "pem", type: "pkcs8" }).toString();
const elliptic = (): string => pem(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
const keys = {
  ES256: elliptic(),
  RS256: pem(generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey),
};
for (const [algorithm, key] of Object.entries(keys))
  describe(`signed with ${algorithm}`, () => {
    const signer = signingKey(key);
    const token = signer.sign(claims);
    const [head = "", body = "", signature = ""] = token.split(".");
    const reworded = (change: Partial<Claims>): string =>
      [head, Buffer.from(JSON.stringify({ ...claims, ...change })).toString("base64url"), signature].join(".");

    test("its signature is valid", () => expect(signer.claimsIn(token)).toEqual(claims));
    test("its header has the key id", () => {
      expect(JSON.parse(Buffer.from(head, "base64url").toString())).toEqual({ alg: algorithm, kid: signer.jwk["kid"] });
    });
    test("a changed token is refused", () => {
      expect(() => signer.claimsIn(reworded({ sub: "system:serviceaccount:shop:king" }))).toThrow(
        "go-jose/go-jose: error in cryptographic primitive",
      );
    });
    test("a token without a signature is refused", () => {
      const unsigned = Buffer.from('{"alg":"none"}').toString("base64url");
      expect(() => signer.claimsIn(`${unsigned}.${body}.`)).toThrow(/cryptographic primitive/);
      expect(() => signer.claimsIn(`${head}.${body}.`)).toThrow(/cryptographic primitive/);
    });
    test("the signature of another key is refused", () => {
      expect(() => signingKey(elliptic()).claimsIn(token)).toThrow("invalid signature, no keys found");
    });
    test("only the public key is published", () => {
      expect(signer.jwk).toMatchObject({ use: "sig", alg: algorithm });
      expect(Object.keys(signer.jwk)).not.toContain("d");
    });
  });
