// The key that signs tokens: compact JSON Web Signatures (RFC 7515), and the public key as a JSON Web Key.
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";

/** Signs what it is given, and knows its own signature again. */
export interface SigningKey {
  /** The public half, as a set of keys shows it. */
  readonly jwk: Readonly<Record<string, unknown>>;
  /** The claims as a token. */
  sign(claims: object): string;
  /** The claims of a token. Throws when this key has not signed it. */
  claimsIn(token: string): unknown;
}

const algorithms = { ec: "ES256", rsa: "RS256" } as const;
type Kind = keyof typeof algorithms;

const packed = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const unpacked = (part: string): unknown => JSON.parse(Buffer.from(part, "base64url").toString());

/** Says which key it is without saying the key. */
const idOf = (key: KeyObject): string =>
  createHash("sha256")
    .update(key.export({ format: "der", type: "spki" }))
    .digest("base64url");

/** Tokens of the last while, whose signature need not be checked twice. */
const remembered = 1000;

/** The key in a PEM file: of an elliptic curve (P-256), or of RSA. */
export function signingKey(pem: string): SigningKey {
  const secret = createPrivateKey(pem);
  const key = createPublicKey(secret);
  const alg = algorithms[key.asymmetricKeyType as Kind];
  const kid = idOf(key);
  const head = packed({ alg, kid });
  const form = { dsaEncoding: "ieee-p1363" } as const;
  const known = new Map<string, unknown>();
  const check = (token: string): unknown => {
    const [header = "", claims = "", signature = ""] = token.split(".");
    const content = unpacked(header) as { readonly alg?: string; readonly kid?: string };
    if (content.kid !== undefined && content.kid !== kid) throw new Error("invalid signature, no keys found");
    const isOurs =
      content.alg === alg &&
      verify("sha256", Buffer.from(`${header}.${claims}`), { key, ...form }, Buffer.from(signature, "base64url"));
    if (!isOurs) throw new Error("go-jose/go-jose: error in cryptographic primitive");
    return unpacked(claims);
  };
  return {
    jwk: { use: "sig", ...key.export({ format: "jwk" }), kid, alg },
    sign(claims) {
      const content = `${head}.${packed(claims)}`;
      return `${content}.${sign("sha256", Buffer.from(content), { key: secret, ...form }).toString("base64url")}`;
    },
    claimsIn(token) {
      const before = known.get(token);
      if (before !== undefined) return before;
      const claims = check(token);
      if (known.size >= remembered) known.clear();
      known.set(token, claims);
      return claims;
    },
  };
}
