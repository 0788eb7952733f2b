// CertificateSubjectRestriction: refuses requests for client certificates of the group system:masters, whose rights no
// role can take back.
import type { CertificateSigningRequest } from "../../api/generated/types.ts";
import { certificateSigningRequests } from "../../api/certificates/certificatesigningrequests.ts";
import { forbidden } from "../registry/refusals.ts";
import type { AdmissionPlugin } from "../registry/admission.ts";

/** A value of DER (X.690): its tag, and the range of its content. */
interface Value {
  readonly tag: number;
  readonly content: Buffer;
}
const highBit = 0x80;

/** The values that lie one behind another in some content. */
function valuesIn(der: Buffer): readonly Value[] {
  const values: Value[] = [];
  for (let at = 0; at < der.length; ) {
    const [tag, first] = [der.readUInt8(at), der.readUInt8(at + 1)];
    const lengthBytes = first < highBit ? 0 : first - highBit;
    const from = at + 2 + lengthBytes;
    const to = from + (lengthBytes === 0 ? first : der.readUIntBE(at + 2, lengthBytes));
    if (to > der.length) throw new RangeError("data truncated");
    values.push({ tag, content: der.subarray(from, to) });
    at = to;
  }
  return values;
}
const inside = (value: Value | undefined): readonly Value[] => valuesIn(value?.content ?? Buffer.alloc(0));

/** The names of attributes of a subject (X.520): 2.5.4.3 and 2.5.4.10. */
const commonName = Buffer.from([0x55, 0x04, 0x03]);
const organization = Buffer.from([0x55, 0x04, 0x0a]);

/** What the subject of a request for a certificate (RFC 2986) has for an attribute. Throws when it cannot be read. */
function subjectValues(request: Buffer, attribute: Buffer): readonly string[] {
  const [, subject] = inside(inside(valuesIn(request)[0])[0]);
  return inside(subject)
    .flatMap((distinguished) => inside(distinguished))
    .map((one) => inside(one))
    .filter(([type]) => type?.content.equals(attribute))
    .map(([, value]) => value?.content.toString() ?? "");
}
export const organizationsIn = (request: Buffer): readonly string[] => subjectValues(request, organization);
/** The last one counts, as Go's crypto/x509 reads subjects. */
export const commonNameIn = (request: Buffer): string => subjectValues(request, commonName).at(-1) ?? "";

const block = /-----BEGIN CERTIFICATE REQUEST-----([^-]*)-----END/;
/** The request that a CertificateSigningRequest carries as PEM. */
export function requestIn(encoded: string): Buffer {
  const [, body = ""] = block.exec(Buffer.from(encoded, "base64").toString()) ?? [];
  return Buffer.from(body, "base64");
}

const signer = "kubernetes.io/kube-apiserver-client";
const administrators = "system:masters";

/** Refuses requests for certificates of administrators. */
export const certificateSubject: AdmissionPlugin = {
  name: "CertificateSubjectRestriction",
  operations: ["CREATE"],
  handles: (r) => r.group === certificateSigningRequests.group && r.plural === certificateSigningRequests.plural,
  validate(object, { r }) {
    const { metadata, spec } = object as CertificateSigningRequest;
    if (spec.signerName !== signer) return;
    const refused = (because: string): Error => forbidden(r, metadata.name, because);
    let organizations: readonly string[];
    try {
      organizations = organizationsIn(requestIn(spec.request));
    } catch (error) {
      throw refused(`failed to parse CSR: ${(error as Error).message}`);
    }
    if (organizations.includes(administrators))
      throw refused(`use of ${signer} signer with ${administrators} group is not allowed`);
  },
};
