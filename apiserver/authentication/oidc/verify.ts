// Verifies a provider's token: algorithm, issuer, audience and time first, then the signature, since that may need keys
// to be read. Source: OpenID Connect Core 1.0, section 3.1.3.7.
import { compactVerify, decodeJwt, decodeProtectedHeader, errors } from "jose";
import { quoted, quotedList } from "../../../api/quote.ts";
import type { Clock } from "../../../machinery/world.ts";
import type { Issuer } from "./configuration.ts";
import type { KeySet, ProviderKeys } from "./provider.ts";

/** The body of a token. */
export type Claims = Readonly<Record<string, unknown>>;

/** A token that becomes valid within so many seconds is valid: clocks differ. */
const notBeforeLeeway = 60;

const textsOf = (claim: unknown): readonly string[] =>
  (Array.isArray(claim) ? claim : [claim]).filter((text) => typeof text === "string");

/** Google leaves out the scheme in some tokens. */
export const isIssuer = (claim: unknown, { url }: Pick<Issuer, "url">): boolean =>
  claim === url || (url === "https://accounts.google.com" && claim === "accounts.google.com");

/** Why a token does not count here or now, if so. */
function unfitness({ iss, aud, exp, nbf }: Claims, issuer: Issuer, seconds: number): string | undefined {
  if (!isIssuer(iss, issuer)) return `oidc: id token issued by a different provider, expected ${quoted(issuer.url)}`;
  const audiences = textsOf(aud);
  if (!issuer.audiences.some((audience) => audiences.includes(audience)))
    return `oidc: expected audience in ${quotedList(issuer.audiences.toSorted())} got ${quotedList(audiences)}`;
  if (typeof exp !== "number" || exp < seconds) return "oidc: token is expired";
  if (nbf !== undefined && (typeof nbf !== "number" || seconds + notBeforeLeeway < nbf))
    return "oidc: the token is not valid yet";
  return undefined;
}

/** Verifies by any of several keys that a token without a key id may be of. */
async function signedContent(token: string, keys: KeySet, algorithms: string[]): Promise<Uint8Array> {
  try {
    return (await compactVerify(token, keys, { algorithms })).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const key of error) {
      const verified = await compactVerify(token, key, { algorithms }).catch(() => undefined);
      if (verified) return verified.payload;
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

const isOfOtherKeys = (error: unknown): boolean =>
  error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWSSignatureVerificationFailed;

/** The claims of a token. Rejects with the reason that it does not count. */
export async function verifiedClaims(
  token: string,
  of: { readonly issuer: Issuer; readonly algorithms: readonly string[]; readonly keys: ProviderKeys },
  clock: Clock,
): Promise<Claims> {
  const { issuer, algorithms, keys } = of;
  const { alg = "" } = decodeProtectedHeader(token);
  if (!algorithms.includes(alg))
    throw new Error(
      `oidc: id token signed with unsupported algorithm, expected ${quotedList(algorithms)} got ${quoted(alg)}`,
    );
  const because = unfitness(decodeJwt(token), issuer, clock.now() / 1000);
  if (because !== undefined) throw new Error(because);
  const known = await keys.current();
  const content = await signedContent(token, known, [...algorithms])
    .catch(async (error: Error) => {
      const newer = isOfOtherKeys(error) && (await keys.newerThan(known));
      if (!newer) throw error;
      return signedContent(token, newer, [...algorithms]);
    })
    .catch((error: Error) => {
      throw new Error(`failed to verify signature: ${error.message}`, { cause: error });
    });
  return JSON.parse(new TextDecoder().decode(content));
}
