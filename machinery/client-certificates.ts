// The subject of a client's certificate on a TLS connection: its common name is the user, its organizations the groups.
import type { PeerCertificate, TLSSocket } from "node:tls";
import type { Instant } from "../api/meta.ts";

/** What of a connection identifies its client. */
export type ClientConnection = Pick<TLSSocket, "authorized" | "getPeerCertificate">;

/** The subject of a certificate that a trusted authority signed. */
export interface CertifiedSubject {
  readonly name: string;
  readonly groups: readonly string[];
  /** The SHA-256 hash of the certificate, in hexadecimal. */
  readonly fingerprint: string;
  /** The certificate is not valid from then on, however long the connection is open. */
  readonly until: Instant;
}

const list = (value: string | string[] | undefined): readonly string[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

/** "none" without a certificate, "invalid" with one that is not trusted or names no user. */
export function certifiedSubject(connection: ClientConnection): CertifiedSubject | "none" | "invalid" {
  const certificate = connection.getPeerCertificate() as Partial<PeerCertificate>;
  const { subject, fingerprint256 = "", valid_to: end } = certificate;
  if (!subject) return "none";
  const name = list(subject.CN as string | string[] | undefined)[0];
  if (!connection.authorized || !name) return "invalid";
  return {
    name,
    groups: list(subject.O as string | string[] | undefined),
    fingerprint: fingerprint256.replaceAll(":", "").toLowerCase(),
    until: (end === undefined ? Number.POSITIVE_INFINITY : Date.parse(end)) as Instant,
  };
}
