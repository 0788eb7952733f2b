// A cluster's certificate authority and the certificates it issues.
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import type { Instant } from "../../api/meta.ts";

/** A certificate with its private key, both as PEM text. */
export interface Pem {
  readonly cert: string;
  readonly key: string;
}

/** The subject of a certificate: `name` is the user, `groups` are its groups, `hosts` the subject alternative names. */
interface Subject {
  readonly name: string;
  readonly groups?: readonly string[];
  readonly hosts?: readonly string[];
  /** A peer is a server to others of its kind, and their client. */
  readonly use: "client" | "server" | "peer";
}

/** Issues certificates. Its key stays on the machine that created the cluster. */
export interface Authority {
  readonly pem: Pem;
  issue(subject: Subject): Promise<Pem>;
}

const crypto = webcrypto as unknown as Crypto;
const ecdsa = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const day = 86_400_000;

const newKeys = (): Promise<webcrypto.CryptoKeyPair> => crypto.subtle.generateKey(ecdsa, true, ["sign", "verify"]);

const pemOfKey = async (key: CryptoKey): Promise<string> =>
  x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");

const pemOf = async (certificate: x509.X509Certificate, keys: webcrypto.CryptoKeyPair): Promise<Pem> => ({
  cert: `${certificate.toString("pem")}\n`,
  key: `${await pemOfKey(keys.privateKey)}\n`,
});

const keyOfPem = (pem: string): Promise<CryptoKey> =>
  crypto.subtle.importKey("pkcs8", x509.PemConverter.decodeFirst(pem), ecdsa, true, ["sign"]);

const serialNumber = (): string =>
  Buffer.from(crypto.getRandomValues(new Uint8Array(16)))
    .toString("hex")
    .replace(/^./, "1");

// Starts a day early, because clocks of nodes may be behind.
const validity = (now: Instant, days: number): { notBefore: Date; notAfter: Date } => ({
  notBefore: new Date(now - day),
  notAfter: new Date(now + days * day),
});

const subjectName = (subject: Subject): x509.JsonName => [
  ...(subject.groups ?? []).map((group) => ({ O: [group] })),
  { CN: [subject.name] },
];

const extensionsFor = (subject: Subject, authorityKey: x509.Extension): x509.Extension[] => {
  const hosts = (subject.hosts ?? []).map(
    (host) => ({ type: /^[\d.]+$/.test(host) ? "ip" : "dns", value: host }) as const,
  );
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
  const purposes = { client: [clientAuth], server: [serverAuth], peer: [serverAuth, clientAuth] }[subject.use];
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension(purposes),
    authorityKey,
    ...(hosts.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(hosts)]),
  ];
};

/** A key without a certificate, to sign tokens. */
export const newSigningKey = async (): Promise<string> => `${await pemOfKey((await newKeys()).privateKey)}\n`;

/** Restores an authority from its certificate and key. */
export const authorityFrom = async (pem: Pem, now: Instant): Promise<Authority> => {
  const own = new x509.X509Certificate(pem.cert);
  const signingKey = await keyOfPem(pem.key);
  const authorityKey = await x509.AuthorityKeyIdentifierExtension.create(
    await own.publicKey.export(crypto),
    false,
    crypto,
  );
  return {
    pem,
    issue: async (subject) => {
      const keys = await newKeys();
      const certificate = await x509.X509CertificateGenerator.create(
        {
          ...validity(now, 3650),
          serialNumber: serialNumber(),
          subject: subjectName(subject),
          issuer: own.subject,
          publicKey: keys.publicKey,
          signingKey,
          signingAlgorithm: ecdsa,
          extensions: extensionsFor(subject, authorityKey),
        },
        crypto,
      );
      return pemOf(certificate, keys);
    },
  };
};

/** Creates a self-signed authority. */
export const newAuthority = async (name: string, now: Instant): Promise<Authority> => {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      ...validity(now, 3650),
      serialNumber: serialNumber(),
      name: [{ CN: [name] }],
      keys,
      signingAlgorithm: ecdsa,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, crypto),
      ],
    },
    crypto,
  );
  return authorityFrom(await pemOf(certificate, keys), now);
};
