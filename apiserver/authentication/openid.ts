// OpenID discovery: the issuer and the public keys by which others verify the cluster's tokens themselves.
import type { Extension, WholeReply } from "../request/request-response.ts";
import type { Tokens } from "./tokens.ts";

const cached = { "cache-control": "public, max-age=3600" };
const configPath = "/.well-known/openid-configuration";
const keysPath = "/openid/v1/jwks";

const document = (value: object, type: string): WholeReply => ({
  status: 200,
  body: Buffer.from(JSON.stringify(value)),
  headers: { "content-type": type, ...cached },
});

/** Serves the two documents; `address` is where this server is reached. */
export function openId({ issuer, jwk }: Pick<Tokens, "issuer" | "jwk">, address: () => string): Extension {
  const config = (): object => ({
    issuer,
    jwks_uri: `https://${address()}${keysPath}`,
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: [jwk["alg"]],
  });
  return ({ path: requestPath, method }) => {
    if (method !== "GET") return undefined;
    const path = requestPath.replace(/\/$/, "");
    if (path === configPath) return document(config(), "application/json");
    return path === keysPath ? document({ keys: [jwk] }, "application/jwk-set+json") : undefined;
  };
}
