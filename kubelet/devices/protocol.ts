// The service of a driver for dynamic resources, which the kubelet calls before the first container of a claim's pods
// and after the last. Source: the kubelet's DRA API, versions v1 and v1beta1, which differ in their package only.
import { list, mapOf, message, service, string, strings } from "../../csi/protocol/schema.ts";

const claims = { claims: list(1, message("Claim", { namespace: string(1), uid: string(2), name: string(3) })) };
const device = message("Device", {
  requestNames: strings(1),
  poolName: string(2),
  deviceName: string(3),
  cdiDeviceIds: strings(4),
  shareId: string(5),
});
const prepared = message("NodePrepareResourceResponse", { devices: list(1, device), error: string(2) });
const unprepared = message("NodeUnprepareResourceResponse", { error: string(1) });

const methods = {
  NodePrepareResources: {
    request: message("NodePrepareResourcesRequest", claims),
    /** By the uid of the claim. */
    response: message("NodePrepareResourcesResponse", { claims: mapOf(1, prepared) }),
  },
  NodeUnprepareResources: {
    request: message("NodeUnprepareResourcesRequest", claims),
    response: message("NodeUnprepareResourcesResponse", { claims: mapOf(1, unprepared) }),
  },
};

/** The services by the names under which drivers register them; the best first. */
export const deviceServices = {
  "v1.DRAPlugin": service("k8s.io.kubelet.pkg.apis.dra.v1.DRAPlugin", methods),
  "v1beta1.DRAPlugin": service("k8s.io.kubelet.pkg.apis.dra.v1beta1.DRAPlugin", methods),
} as const;
export type DeviceService = (typeof deviceServices)[keyof typeof deviceServices];
