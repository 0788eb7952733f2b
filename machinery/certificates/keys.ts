// Keys and serial numbers of certificates: ECDSA on P-256, as PEM in PKCS #8.
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

/** A certificate with its private key, both as PEM text. */
export interface Pem {
  readonly cert: string;
  readonly key: string;
}

export const cryptography = webcrypto as unknown as Crypto;
export const ecdsa = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

export const newKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  cryptography.subtle.generateKey(ecdsa, true, ["sign", "verify"]);

export const pemOfKey = async (key: CryptoKey): Promise<string> =>
  `${x509.PemConverter.encode(await cryptography.subtle.exportKey("pkcs8", key), "PRIVATE KEY")}\n`;

export const keyOfPem = (pem: string): Promise<CryptoKey> =>
  cryptography.subtle.importKey("pkcs8", x509.PemConverter.decodeFirst(pem), ecdsa, true, ["sign"]);

/** A positive number of 128 bits. */
export const serialNumber = (): string =>
  Buffer.from(cryptography.getRandomValues(new Uint8Array(16)))
    .toString("hex")
    .replace(/^./, "1");
