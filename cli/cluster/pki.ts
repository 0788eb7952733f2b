// A cluster's certificate authority and the certificates it issues.
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import type { Instant } from "../../api/meta.ts";
import {
  cryptography as crypto,
  ecdsa,
  keyOfPem,
  newKeys,
  type Pem,
  pemOfKey,
  serialNumber,
} from "../../machinery/certificates/keys.ts";

export type { Pem } from "../../machinery/certificates/keys.ts";

/** The subject of a certificate: `name` is the user, `groups` are its groups, `hosts` the subject alternative names. */
interface Subject {
  readonly name: string;
  readonly groups?: readonly string[];
  readonly hosts?: readonly string[];
  /** A peer is a server to others of its kind, and their client. */
  readonly use: "client" | "server" | "peer";
  /** How long the certificate is valid: ten years unless it is renewed by its owner. */
  readonly days?: number;
}

/** Issues certificates. Its key stays on the machine that created the cluster. */
export interface Authority {
  readonly pem: Pem;
  issue(subject: Subject): Promise<Pem>;
}

const day = 86_400_000;

const pemOf = async (certificate: x509.X509Certificate, keys: Awaited<ReturnType<typeof newKeys>>): Promise<Pem> => ({
  cert: `${certificate.toString("pem")}\n`,
  key: await pemOfKey(keys.privateKey),
});

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
export const newSigningKey = async (): Promise<string> => pemOfKey((await newKeys()).privateKey);

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
          ...validity(now, subject.days ?? 3650),
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
