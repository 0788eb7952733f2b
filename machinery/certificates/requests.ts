// Requests for certificates (PKCS #10, RFC 2986): made by who needs a certificate, read and signed by an authority.
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import type { Instant } from "../../api/meta.ts";
import { cryptography, ecdsa, keyOfPem, newKeys, type Pem, pemOfKey, serialNumber } from "./keys.ts";

/** What a request asks for, and what it is signed with. */
export interface CertificateRequest {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly emailAddresses: readonly string[];
  readonly uris: readonly string[];
}

const blockType = "CERTIFICATE REQUEST";
const firstBlock = /-----BEGIN ([^\n-]*)-----[^-]*-----END \1-----/;

function read(pem: string): x509.Pkcs10CertificateRequest {
  const [text = "", type] = firstBlock.exec(pem) ?? [];
  if (type !== blockType) throw new Error(`PEM block type must be ${blockType}`);
  return new x509.Pkcs10CertificateRequest(text);
}

const alternativeNames = (request: x509.Pkcs10CertificateRequest): readonly x509.GeneralName[] =>
  request.extensions.find((extension) => extension instanceof x509.SubjectAlternativeNameExtension)?.names.items ?? [];

/** The content of a request in PEM. Throws when it cannot be read. Its signature is not verified. */
export function parseRequest(pem: string): CertificateRequest {
  const request = read(pem);
  const names = alternativeNames(request);
  const ofType = (type: x509.GeneralNameType): readonly string[] =>
    names.filter((name) => name.type === type).map(({ value }) => value);
  return {
    // The last of several, as Go's library has it.
    commonName: request.subjectName.getField("CN").at(-1) ?? "",
    organizations: request.subjectName.getField("O"),
    dnsNames: ofType("dns"),
    ipAddresses: ofType("ip"),
    emailAddresses: ofType("email"),
    uris: ofType("url"),
  };
}

/** A new key, and a request in PEM that it signed. */
export async function newRequest(content: {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
}): Promise<{ readonly request: string; readonly key: string }> {
  const { commonName, organizations, dnsNames = [], ipAddresses = [] } = content;
  const keys = await newKeys();
  const names = [
    ...dnsNames.map((value) => ({ type: "dns", value }) as const),
    ...ipAddresses.map((value) => ({ type: "ip", value }) as const),
  ];
  const request = await x509.Pkcs10CertificateRequestGenerator.create(
    {
      name: [...organizations.map((name) => ({ O: [name] })), { CN: [commonName] }],
      keys,
      signingAlgorithm: ecdsa,
      extensions: names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)],
    },
    cryptography,
  );
  return { request: `${request.toString("pem")}\n`, key: await pemOfKey(keys.privateKey) };
}

const { KeyUsageFlags: flags, ExtendedKeyUsage: purposes } = x509;
const keyUsages: Readonly<Record<string, x509.KeyUsageFlags>> = {
  signing: flags.digitalSignature,
  "digital signature": flags.digitalSignature,
  "content commitment": flags.nonRepudiation,
  "key encipherment": flags.keyEncipherment,
  "key agreement": flags.keyAgreement,
  "data encipherment": flags.dataEncipherment,
  "cert sign": flags.keyCertSign,
  "crl sign": flags.cRLSign,
  "encipher only": flags.encipherOnly,
  "decipher only": flags.decipherOnly,
};
/** Object identifiers of purposes, in the order in which certificates list them. */
const extendedKeyUsages: Readonly<Record<string, string>> = {
  any: "2.5.29.37.0",
  "server auth": purposes.serverAuth,
  "client auth": purposes.clientAuth,
  "code signing": purposes.codeSigning,
  "email protection": purposes.emailProtection,
  "s/mime": purposes.emailProtection,
  "ipsec end system": "1.3.6.1.5.5.7.3.5",
  "ipsec tunnel": "1.3.6.1.5.5.7.3.6",
  "ipsec user": "1.3.6.1.5.5.7.3.7",
  timestamping: purposes.timeStamping,
  "ocsp signing": purposes.ocspSigning,
  "microsoft sgc": "1.3.6.1.4.1.311.10.3.3",
  "netscape sgc": "2.16.840.1.113730.4.1",
};

function usageExtensions(usages: readonly string[]): readonly x509.Extension[] {
  const unknown = usages.filter((usage) => !(usage in keyUsages) && !(usage in extendedKeyUsages));
  if (unknown.length > 0) throw new Error(`unrecognized usage values: ${JSON.stringify(unknown)}`);
  const bits = usages.reduce((sum, usage) => sum | (keyUsages[usage] ?? 0), 0);
  const ids = new Set(Object.entries(extendedKeyUsages).flatMap(([usage, id]) => (usages.includes(usage) ? [id] : [])));
  return [
    ...(bits === 0 ? [] : [new x509.KeyUsagesExtension(bits, true)]),
    ...(ids.size === 0 ? [] : [new x509.ExtendedKeyUsageExtension([...ids])]),
  ];
}

/** So much earlier than now a certificate begins to be valid, because clocks differ. */
const backdateMs = 5 * 60_000;
/** The end of a longer certificate is moved by as much as its beginning. */
const longMs = 8 * 3_600_000;

/** From when to when a new certificate is valid: never longer than its authority's. Throws when that has ended. */
export function validityOf(ttlMs: number, now: Instant, authorityEnds: number): readonly [from: number, to: number] {
  const from = now - backdateMs;
  if (now >= authorityEnds)
    throw new Error(`the signer has expired: NotAfter=${new Date(authorityEnds).toISOString()}`);
  return [from, Math.min(now + (ttlMs < longMs ? ttlMs : ttlMs - backdateMs), authorityEnds)];
}

/** How a request is to be signed. */
export interface SigningOptions {
  readonly usages: readonly string[];
  readonly ttlMs: number;
  readonly now: Instant;
}

/**
 * Signs a request: its subject and alternative names are taken over, and none of its other extensions. Rejects when its
 * own signature is wrong.
 */
export async function signRequest(authority: Pem, pem: string, options: SigningOptions): Promise<string> {
  const { usages, ttlMs, now } = options;
  const request = read(pem);
  const isOwn = await request.verify(cryptography).catch(() => false);
  if (!isOwn) throw new Error("unable to verify certificate request signature");
  const own = new x509.X509Certificate(authority.cert);
  const [from, to] = validityOf(ttlMs, now, own.notAfter.getTime());
  const names = alternativeNames(request);
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(),
      ...{ subject: request.subjectName, issuer: own.subjectName },
      ...{ notBefore: new Date(from), notAfter: new Date(to) },
      publicKey: request.publicKey,
      signingKey: await keyOfPem(authority.key),
      signingAlgorithm: ecdsa,
      extensions: [
        ...usageExtensions(usages),
        new x509.BasicConstraintsExtension(false, undefined, true),
        await x509.AuthorityKeyIdentifierExtension.create(own.publicKey, false, cryptography),
        ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names.map((name) => name.toJSON()))]),
      ],
    },
    cryptography,
  );
  return `${certificate.toString("pem")}\n`;
}
