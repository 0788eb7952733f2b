// Facts the published schemas of the certificates group lack.
import { needed, type Overlay, present, values } from "../overlay.ts";

export const certificatesOverlay: Overlay = {
  CertificateSigningRequest: { status: present },
  CertificateSigningRequestCondition: { status: { ...values("False", "True", "Unknown"), open: true } },
  CertificateSigningRequestSpec: {
    expirationSeconds: { bounds: [600, null, "may not specify a duration less than 600 seconds (10 minutes)"] },
    usages: { ...needed, unique: true },
  },
};
