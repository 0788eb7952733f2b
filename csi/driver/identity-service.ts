// The Identity service of a driver.
import type { Handlers } from "../protocol/grpc.ts";
import type { identityService } from "../protocol/identity.ts";
import type { DriverProfile } from "./profile.ts";

export const identityHandlers = ({ name, topologyKey }: DriverProfile): Handlers<typeof identityService> => ({
  GetPluginInfo: async () => ({ name, vendorVersion: "1" }),
  GetPluginCapabilities: async () => ({
    capabilities: [
      { service: { type: "CONTROLLER_SERVICE" } },
      ...(topologyKey === undefined ? [] : [{ service: { type: "VOLUME_ACCESSIBILITY_CONSTRAINTS" as const } }]),
      { volumeExpansion: { type: "ONLINE" } },
    ],
  }),
  Probe: async () => ({ ready: { value: true } }),
});
