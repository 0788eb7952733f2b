// `create secret tls` and `create secret docker-registry`: what the typed secrets contain.
import { createPrivateKey, X509Certificate } from "node:crypto";
import { CliError } from "../cli-error.ts";
import type { DataEntry } from "./config-data.ts";
import { orderedJson } from "./ordered-json.ts";

/** The types of the PEM blocks of a file. */
const blocks = (pem: string): readonly string[] =>
  [...pem.matchAll(/^-----BEGIN ([A-Z0-9 ]+)-----$/gm)].map(([, type]) => type!);
const isKey = (type: string): boolean => type === "PRIVATE KEY" || type.endsWith(" PRIVATE KEY");

/** Checks that a certificate and a key belong together. Throws CliError with the message of Go's crypto/tls. */
function checkPair(certificate: string, key: string): void {
  const [certificates, keys] = [blocks(certificate), blocks(key)];
  if (!certificates.includes("CERTIFICATE")) {
    if (certificates.length === 0) throw new CliError("tls: failed to find any PEM data in certificate input");
    if (isKey(certificates[0]!))
      throw new CliError(
        "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched",
      );
    throw new CliError(
      `tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: [${certificates.join(" ")}]`,
    );
  }
  if (!keys.some(isKey)) {
    if (keys.length === 0) throw new CliError("tls: failed to find any PEM data in key input");
    if (keys[0] === "CERTIFICATE")
      throw new CliError("tls: found a certificate rather than a key in the PEM for the private key");
    throw new CliError(
      `tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: [${keys.join(" ")}]`,
    );
  }
  let matches: boolean;
  try {
    matches = new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
  } catch (e) {
    throw new CliError(`tls: failed to parse private key or certificate: ${(e as Error).message}`);
  }
  if (!matches) throw new CliError("tls: private key does not match public key");
}

/** The data of a Secret of the type `kubernetes.io/tls`. */
export function tlsEntries(certificate: Buffer, key: Buffer): readonly DataEntry[] {
  checkPair(certificate.toString(), key.toString());
  return [
    ["tls.crt", certificate],
    ["tls.key", key],
  ];
}

export interface RegistryFlags {
  readonly dockerServer: string;
  readonly dockerUsername?: string;
  readonly dockerPassword?: string;
  readonly dockerEmail?: string;
  readonly fromFile?: readonly string[];
}

/** Throws CliError unless there is a file, or a user with a password at a server. */
export function checkRegistryFlags(flags: RegistryFlags): void {
  const { dockerServer, dockerUsername, dockerPassword, fromFile = [] } = flags;
  if (fromFile.length === 0 && !(dockerServer && dockerUsername && dockerPassword))
    throw new CliError(
      "either --from-file or the combination of --docker-username, --docker-password and --docker-server is required",
    );
}

/** The data of a Secret of the type `kubernetes.io/dockerconfigjson`, from flags. */
export function registryEntries(flags: RegistryFlags): readonly DataEntry[] {
  const { dockerServer, dockerUsername: username, dockerPassword: password, dockerEmail: email } = flags;
  const auth = Buffer.from(`${username}:${password}`).toString("base64");
  const entry = { username, password, email: email || undefined, auth };
  return [[".dockerconfigjson", Buffer.from(orderedJson({ auths: { [dockerServer]: entry } }))]];
}
