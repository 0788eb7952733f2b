// CertificateSigningRequest: a request for a certificate, which an approver approves and a signer signs.
import type { CertificateSigningRequest } from "../generated/types.ts";
import { age } from "../age.ts";
import { define } from "../kinds.ts";
import { instant } from "../meta.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { validateDecided, validateRequested } from "./certificatesigningrequests-validate.ts";

function stateText({ status }: CertificateSigningRequest): string {
  const has = (type: string): boolean => (status?.conditions ?? []).some((c) => c.type === type);
  const decided = has("Denied") ? "Denied" : has("Approved") ? "Approved" : "Pending";
  return `${decided}${has("Failed") ? ",Failed" : ""}${status?.certificate ? ",Issued" : ""}`;
}

const durationText = (seconds: number | undefined): string =>
  seconds === undefined ? "<none>" : age(instant(0), instant(seconds * 1000));

export const certificateSigningRequests = define<CertificateSigningRequest>({
  group: "certificates.k8s.io",
  kind: "CertificateSigningRequest",
  shortNames: ["csr"],
  scope: "Cluster",
  subresources: ["approval", "status"],
  validate: (draft, old) => (old ? [] : validateRequested(draft)),
  validateStatus: validateDecided,
  selectable: { "spec.signerName": (r) => r.spec.signerName },
  columns: [
    nameColumn,
    ageColumn,
    { name: "SignerName", cell: (r) => r.spec.signerName || "<none>" },
    { name: "Requestor", cell: (r) => r.spec.username ?? "" },
    { name: "RequestedDuration", cell: (r) => durationText(r.spec.expirationSeconds) },
    { name: "Condition", cell: stateText },
  ],
});
