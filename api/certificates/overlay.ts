// What the published schemas of the certificates group do not say.
import { needed, type Overlay, present } from "../overlay.ts";

export const certificatesOverlay: Overlay = {
  CertificateSigningRequest: { status: present },
  CertificateSigningRequestSpec: {
    expirationSeconds: { bounds: [600, null, "may not specify a duration less than 600 seconds (10 minutes)"] },
    usages: { ...needed, unique: true },
  },
};
