// A request for a certificate, as a user makes one with other tools.
import "reflect-metadata";
import { Pkcs10CertificateRequestGenerator } from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** As a CertificateSigningRequest carries it: PEM in base64. */
export async function newRequest(name: string): Promise<string> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: `CN=${name}`,
    keys,
    signingAlgorithm: algorithm,
  });
  return Buffer.from(request.toString("pem")).toString("base64");
}
