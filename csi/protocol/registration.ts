// The service by which a driver registers with the kubelet, which calls every socket in its registration folder for the
// plugin behind it. Source: the kubelet's plugin registration API, version 1.
import { bool, message, service, string, strings } from "./schema.ts";

export const registrationService = service("pluginregistration.Registration", {
  GetInfo: {
    request: message("InfoRequest", {}),
    response: message("PluginInfo", {
      /** `CSIPlugin` for drivers. */
      type: string(1),
      name: string(2),
      /** The socket of the plugin; empty when it is the one that was called. */
      endpoint: string(3),
      supportedVersions: strings(4),
    }),
  },
  NotifyRegistrationStatus: {
    request: message("RegistrationStatus", { pluginRegistered: bool(1), error: string(2) }),
    response: message("RegistrationStatusResponse", {}),
  },
});
