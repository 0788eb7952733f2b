// What the published schemas of the authentication group do not say.
import type { Overlay } from "../overlay.ts";

export const authenticationOverlay: Overlay = { TokenRequestSpec: { expirationSeconds: { default: 3600 } } };
