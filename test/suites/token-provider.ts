// A small OpenID provider on loopback: its documents over https, and tokens that it signs.
import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";
import type { Instant } from "../../api/meta.ts";
import { newAuthority } from "../../cli/cluster/pki.ts";

const keyPair = async (alg: string, kid: string) => {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } as JWK };
};

export interface TokenProvider {
  readonly url: string;
  /** The authority of its certificate. */
  readonly ca: string;
  /** Paths that were requested. */
  readonly requests: readonly string[];
  /** The public half of the newest key. */
  key(): JWK;
  /** Signs with the newest key. */
  token(claims: JWTPayload, header?: object): Promise<string>;
  /** Signs with a new key from now on; the former one is published no more. */
  rotate(alg?: string): Promise<void>;
  /** Whether it answers. */
  setUp(isUp: boolean): void;
  /** Replaces an answer: a status, headers and a body. */
  answers: Map<string, { readonly status?: number; readonly headers?: Record<string, string>; readonly body: string }>;
  close(): Promise<void>;
}

export async function tokenProvider(): Promise<TokenProvider> {
  const authority = await newAuthority("provider", Date.now() as Instant);
  const tls = await authority.issue({ name: "issuer.example", hosts: ["127.0.0.1", "localhost"], use: "server" });
  let key = await keyPair("RS256", "k1");
  let [isUp, count] = [true, 1];
  const requests: string[] = [];
  const answers: TokenProvider["answers"] = new Map();
  const server = createServer({ cert: tls.cert, key: tls.key }, (request, response) => {
    const path = request.url ?? "";
    requests.push(path);
    if (!isUp) return void response.writeHead(503).end();
    const documents: Readonly<Record<string, object>> = {
      "/.well-known/openid-configuration": { issuer: url, jwks_uri: `${url}/keys` },
      "/keys": { keys: [key.jwk] },
    };
    const answer = answers.get(path) ?? { body: JSON.stringify(documents[path] ?? {}) };
    response.writeHead(answer.status ?? 200, { "content-type": "application/json", ...answer.headers });
    response.end(answer.body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...{ url, requests, answers, ca: authority.pem.cert },
    key: () => key.jwk,
    token: (claims, header) =>
      new SignJWT(claims).setProtectedHeader({ alg: key.alg, kid: key.kid, ...header }).sign(key.privateKey),
    async rotate(alg = "RS256") {
      key = await keyPair(alg, `k${++count}`);
    },
    setUp(value) {
      isUp = value;
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
