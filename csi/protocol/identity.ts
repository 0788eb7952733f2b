// The Identity service, which every driver has: its name, what it can do, and whether it is ready.
// Source: the Container Storage Interface, version 1.
import { choice, enumeration, list, message, one, service, string, stringMap } from "./schema.ts";
import { boolValue } from "./volumes.ts";

const pluginServices = enumeration("PluginServiceType", {
  UNKNOWN: 0,
  CONTROLLER_SERVICE: 1,
  VOLUME_ACCESSIBILITY_CONSTRAINTS: 2,
  GROUP_CONTROLLER_SERVICE: 3,
});
const expansions = enumeration("VolumeExpansionType", { UNKNOWN: 0, ONLINE: 1, OFFLINE: 2 });

const pluginCapability = message(
  "PluginCapability",
  {
    service: one(1, message("PluginService", { type: choice(1, pluginServices) })),
    volumeExpansion: one(2, message("VolumeExpansion", { type: choice(1, expansions) })),
  },
  ["service", "volumeExpansion"],
);

export const identityService = service("csi.v1.Identity", {
  GetPluginInfo: {
    request: message("GetPluginInfoRequest", {}),
    response: message("GetPluginInfoResponse", { name: string(1), vendorVersion: string(2), manifest: stringMap(3) }),
  },
  GetPluginCapabilities: {
    request: message("GetPluginCapabilitiesRequest", {}),
    response: message("GetPluginCapabilitiesResponse", { capabilities: list(1, pluginCapability) }),
  },
  Probe: {
    request: message("ProbeRequest", {}),
    response: message("ProbeResponse", { ready: one(1, boolValue) }),
  },
});
