// Tokens of service accounts: what they claim, until when they count, and whose signature they bear.
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
import { signingKey } from "../../../apiserver/authentication/tokens.ts";

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
const wanted = { issuer: "https://us", id: "j", audiences: ["them"], seconds: 600, bound: {} };
const claims = claimsOf(robot, wanted, at(0));

test("a token claims whose it is, for whom, and until when", () => {
  const bound = { node: { name: "n" }, pod: { name: "p", uid: "u2" } };
  expect(claimsOf(robot, { ...wanted, bound, warnAfter: 60 }, at(0))).toEqual({
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
test("who bears it is the account, and what is known of it", () => {
  const bound = { node: { name: "n" }, pod: { name: "p", uid: "u2" } };
  expect(bearer(claimsOf(robot, { ...wanted, bound }, at(0)))).toEqual({
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
  ["it counts from the moment it is made", 0, undefined],
  ["clocks may differ by a minute", -60, undefined],
  ["but not by more", -61, "service account token is not valid yet"],
  ["it counts until it expires, and a minute more", 660, undefined],
  ["and then no more", 661, "service account token has expired"],
] as const;
for (const [what, seconds, because] of times)
  test(`in time: ${what}`, () => expect(untimely(claims, at(seconds))).toBe(because));

const accounts = [
  ["its account is there", robot, undefined],
  ["another of the name is not it", object("robot", "u9"), "service account UID (u9) does not match claim (u1)"],
  ["an account that goes counts for a minute", object("robot", "u1", at(-60)), undefined],
  ["and then no more", object("robot", "u1", at(-61)), "service account shop/robot has been deleted"],
] as const;
for (const [what, account, because] of accounts)
  test(`whose: ${what}`, () => expect(disowned(claims, account, at(0))).toBe(because));

const bindings = [
  ["what it is bound to is there", object("p", "u2"), undefined],
  ["it is gone", undefined, "service account token has been invalidated"],
  ["it has been going for long", object("p", "u2", at(-61)), "service account token has been invalidated"],
  ["there is another of its name", object("p", "u3"), "pod UID (u3) does not match service account pod ref claim (u2)"],
] as const;
for (const [what, pod, because] of bindings)
  test(`bound: ${what}`, () => expect(unbound("pod", { name: "p", uid: "u2" }, pod, at(0))).toBe(because));

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

    test("it is believed", () => expect(signer.claimsIn(token)).toEqual(claims));
    test("its head says which key it was", () => {
      expect(JSON.parse(Buffer.from(head, "base64url").toString())).toEqual({ alg: algorithm, kid: signer.jwk["kid"] });
    });
    test("whoever changes it is found out", () => {
      expect(() => signer.claimsIn(reworded({ sub: "system:serviceaccount:shop:king" }))).toThrow(
        "go-jose/go-jose: error in cryptographic primitive",
      );
    });
    test("without a signature it is nothing", () => {
      const unsigned = Buffer.from('{"alg":"none"}').toString("base64url");
      expect(() => signer.claimsIn(`${unsigned}.${body}.`)).toThrow(/cryptographic primitive/);
      expect(() => signer.claimsIn(`${head}.${body}.`)).toThrow(/cryptographic primitive/);
    });
    test("another's signature is not ours", () => {
      expect(() => signingKey(elliptic()).claimsIn(token)).toThrow("invalid signature, no keys found");
    });
    test("the public half is public, and only that", () => {
      expect(signer.jwk).toMatchObject({ use: "sig", alg: algorithm });
      expect(Object.keys(signer.jwk)).not.toContain("d");
    });
  });
