// The state of a request for a certificate.
import type { CertificateSigningRequest as Request } from "../../api/generated/types.ts";

/** Whether it has a condition of this type. */
export const has = ({ status }: Request, type: string): boolean =>
  (status?.conditions ?? []).some((condition) => condition.type === type && condition.status === "True");

/** The text of the request, which is PEM. */
export const pemOf = ({ spec: { request } }: Request): string => Buffer.from(request, "base64").toString();

/** The issued certificate, as PEM. */
export const certificateOf = ({ status }: Request): string | undefined =>
  status?.certificate ? Buffer.from(status.certificate, "base64").toString() : undefined;
