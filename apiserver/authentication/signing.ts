// The key that signs service account tokens: compact JSON Web Signatures (RFC 7515).
import { type KeyObject, createHash, createPrivateKey, createPublicKey, sign, verify } from "node:crypto";

/** Signs claims, and verifies its own signatures. */
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

const encodedPart = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const decodedPart = (part: string): unknown => JSON.parse(Buffer.from(part, "base64url").toString());

/** The id of a key: a hash of its public half. */
const idOf = (key: KeyObject): string =>
  createHash("sha256")
    .update(key.export({ format: "der", type: "spki" }))
    .digest("base64url");

/** The key in a PEM file: of an elliptic curve (P-256), or of RSA. */
export function signingKey(pem: string): SigningKey {
  const secret = createPrivateKey(pem);
  const key = createPublicKey(secret);
  const alg = algorithms[key.asymmetricKeyType as Kind];
  const kid = idOf(key);
  const head = encodedPart({ alg, kid });
  const form = { dsaEncoding: "ieee-p1363" } as const;
  const claimsIn = (token: string): unknown => {
    const [header = "", claims = "", signature = ""] = token.split(".");
    const content = decodedPart(header) as { readonly alg?: string; readonly kid?: string };
    if (content.kid !== undefined && content.kid !== kid) throw new Error("invalid signature, no keys found");
    const isSigned =
      content.alg === alg &&
      verify("sha256", Buffer.from(`${header}.${claims}`), { key, ...form }, Buffer.from(signature, "base64url"));
    if (!isSigned) throw new Error("go-jose/go-jose: error in cryptographic primitive");
    return decodedPart(claims);
  };
  return {
    jwk: { use: "sig", ...key.export({ format: "jwk" }), kid, alg },
    sign(claims) {
      const content = `${head}.${encodedPart(claims)}`;
      return `${content}.${sign("sha256", Buffer.from(content), { key: secret, ...form }).toString("base64url")}`;
    },
    claimsIn,
  };
}
