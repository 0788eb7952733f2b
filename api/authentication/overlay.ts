// Facts that the published schemas of the authentication group lack.
import type { Overlay } from "../overlay.ts";

export const authenticationOverlay: Overlay = { TokenRequestSpec: { expirationSeconds: { default: 3600 } } };
