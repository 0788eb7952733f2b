// How a machine that knows a token and the hash of a key learns whom to trust: the cluster's authority is read without
// trust, and counts if the token signed it and the hash is that of its key. Source: kubeadm's token-based discovery.
import { createHash, timingSafeEqual, X509Certificate } from "node:crypto";
import { request } from "node:https";
import { parse } from "yaml";
import { type BootstrapToken, parseBootstrapToken } from "../../api/core/bootstrap-tokens.ts";
import { clusterInfo } from "../../api/core/bootstrap-tokens.ts";
import { detachedSignature } from "../../controllers/bootstraptokens/cluster-info.ts";
import { CliError } from "../cli-error.ts";

/** An API server and the authority that signs its certificate, as PEM. */
export interface Discovered {
  readonly server: string;
  readonly ca: string;
}

/** `sha256:` and the hash of a certificate's public key (RFC 7469), in hexadecimal. */
export const keyHash = (certificate: X509Certificate): string =>
  `sha256:${createHash("sha256")
    .update(certificate.publicKey.export({ type: "spki", format: "der" }))
    .digest("hex")}`;

/** Throws CliError when a hash has another form. */
export function checkHashes(hashes: readonly string[]): void {
  const wrong = hashes.find((hash) => !/^sha256:[0-9a-f]{64}$/i.test(hash));
  if (hashes.length > 0 && wrong === undefined) return;
  throw new CliError(
    wrong === undefined ? "the hash of the cluster's key is missing" : `"${wrong}" is no hash of a key`,
    "orrery token create --print-join-command shows it: --discovery-token-ca-cert-hash sha256:HEXADECIMAL",
  );
}

/** Throws CliError for a token of another form. */
export function tokenOf(text: string): BootstrapToken {
  const token = parseBootstrapToken(text);
  if (token) return token;
  throw new CliError("the token is malformed", "A token looks like abcdef.0123456789abcdef");
}

const timeoutMs = 10_000;
const path = `/api/v1/namespaces/${clusterInfo.namespace}/configmaps/${clusterInfo.name}`;

/** Reads the ConfigMap; without an authority the server is not verified. */
function read(server: string, ca: string | undefined): Promise<Readonly<Record<string, string>>> {
  const trust = ca === undefined ? { rejectUnauthorized: false } : { ca };
  return new Promise((resolve, reject) => {
    const fail = (because: string, advice: string): void =>
      reject(new CliError(`the cluster cannot be discovered at ${server}: ${because}`, advice));
    const call = request(new URL(path, server), { ...trust, agent: false, timeout: timeoutMs }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      response.on("end", () => {
        if (response.statusCode === 200)
          return resolve((JSON.parse(text) as { data?: Record<string, string> }).data ?? {});
        fail(
          `it answers with status ${response.statusCode}`,
          "Its ConfigMap kube-public/cluster-info must be readable without credentials, as in clusters of orrery up.",
        );
      });
    });
    call.on("timeout", () => call.destroy(new Error("no answer in time")));
    call.on("error", (e) => fail(e.message, "Check the address, and that this machine reaches it."));
    call.end();
  });
}

const isSame = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

interface Info {
  readonly clusters?: readonly {
    readonly cluster?: { readonly server?: string; readonly "certificate-authority-data"?: string };
  }[];
}

/** The text that the token has signed. Throws CliError when it has not. */
export function signedContent(data: Readonly<Record<string, string>>, token: BootstrapToken): string {
  const { kubeconfig: content } = data;
  const signature = data[`jws-kubeconfig-${token.id}`];
  if (content === undefined || signature === undefined)
    throw new CliError(
      `the token "${token.id}" is not one of this cluster, or it has expired`,
      "Make one on a machine that administers the cluster: orrery token create --print-join-command",
    );
  if (isSame(signature, detachedSignature(content, token))) return content;
  throw new CliError(
    "the signature of the cluster's authority is not the token's: this API server cannot be trusted",
    "Compare the token and the address with what orrery token create --print-join-command printed.",
  );
}

/** The only cluster in a text. Throws CliError when there is none. */
export function clusterIn(content: string): Discovered {
  const [only, ...more] = (parse(content) as Info | null)?.clusters ?? [];
  const { server, "certificate-authority-data": encoded } = only?.cluster ?? {};
  if (server !== undefined && encoded !== undefined && more.length === 0)
    return { server, ca: Buffer.from(encoded, "base64").toString() };
  throw new CliError("the ConfigMap kube-public/cluster-info does not name one cluster with its authority");
}

/** The cluster in a signed text, if the hash of its authority's key is among the expected ones. Throws CliError. */
export function pinnedCluster(content: string, hashes: readonly string[]): Discovered {
  const { server, ca } = clusterIn(content);
  const found = keyHash(new X509Certificate(ca));
  if (hashes.some((hash) => hash.toLowerCase() === found)) return { server, ca };
  throw new CliError(
    `the key of the cluster's authority has another hash, ${found}: this is not the cluster you mean`,
    "Compare the hash with what orrery token create --print-join-command printed.",
  );
}

/** The cluster at this address. Throws CliError unless the token has signed its authority and the hash is right. */
export async function discover(server: string, token: BootstrapToken, hashes: readonly string[]): Promise<Discovered> {
  const content = signedContent(await read(server, undefined), token);
  const found = pinnedCluster(content, hashes);
  // Once more, with trust in that authority only: the first response could have been passed on by another server.
  const again = signedContent(await read(server, found.ca), token);
  return pinnedCluster(again, hashes);
}
