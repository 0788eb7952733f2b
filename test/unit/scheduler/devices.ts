// Claims, classes and slices for scheduling tests.
import type {
  Device,
  DeviceClass,
  DeviceClaim,
  Pod,
  ResourceSlice,
  ResourceV1ResourceClaim as ResourceClaim,
} from "../../../api/generated/types.ts";
import { storedMeta } from "../stored-meta.ts";

export const driver = "gpu.example.com";

export const slice = (
  name: string,
  spec: Partial<Omit<ResourceSlice["spec"], "pool">> & { readonly pool?: Partial<ResourceSlice["spec"]["pool"]> } = {},
): ResourceSlice => ({
  apiVersion: "resource.k8s.io/v1",
  kind: "ResourceSlice",
  metadata: storedMeta(name),
  spec: {
    driver,
    ...(!spec.nodeSelector && !spec.allNodes && !spec.perDeviceNodeSelection && { nodeName: name }),
    ...spec,
    pool: { name, generation: 1, resourceSliceCount: 1, ...spec.pool },
  },
});
export const gpus = (count: number, more: Partial<Device> = {}): readonly Device[] =>
  Array.from({ length: count }, (_, i) => ({ name: `gpu-${i}`, ...more }));

export const deviceClass = (name: string, spec: DeviceClass["spec"] = {}): DeviceClass => ({
  apiVersion: "resource.k8s.io/v1",
  kind: "DeviceClass",
  metadata: storedMeta(name),
  spec,
});
export const deviceClaim = (
  name: string,
  devices: DeviceClaim = { requests: [{ name: "gpu", exactly: { deviceClassName: "gpus" } }] },
  status: ResourceClaim["status"] = {},
): ResourceClaim => ({
  apiVersion: "resource.k8s.io/v1",
  kind: "ResourceClaim",
  metadata: storedMeta(name, { namespace: "default" }),
  spec: { devices },
  status,
});
export const allocatedTo = (...devices: readonly string[]): NonNullable<ResourceClaim["status"]> => ({
  allocation: {
    devices: { results: devices.map((device) => ({ request: "gpu", driver, pool: "n1", device })) },
  },
});
export const podUsing = (name: string, ...claims: readonly string[]): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: storedMeta(name, { namespace: "default" }),
  spec: {
    containers: [{ name: "c", image: "a:1" }],
    resourceClaims: claims.map((resourceClaimName) => ({ name: resourceClaimName, resourceClaimName })),
  },
});
