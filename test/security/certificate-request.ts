// Requests for certificates, as a CertificateSigningRequest carries them.
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

const crypto = webcrypto as unknown as Crypto;
const ecdsa = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** A request signed with a new key, as base64 of PEM. */
export async function newRequest(subject: {
  readonly name: string;
  readonly groups: readonly string[];
}): Promise<string> {
  const keys = await crypto.subtle.generateKey(ecdsa, true, ["sign", "verify"]);
  const request = await x509.Pkcs10CertificateRequestGenerator.create(
    {
      name: [...subject.groups.map((group) => ({ O: [group] })), { CN: [subject.name] }],
      keys: keys as webcrypto.CryptoKeyPair,
      signingAlgorithm: ecdsa,
    },
    crypto,
  );
  return Buffer.from(request.toString("pem")).toString("base64");
}
