// The checks that the level restricted adds, which hardens pods by what is good practice. Pure.
import type { Volume } from "../../../api/generated/types.ts";
import { isFiltered, seccompProfile } from "./baseline.ts";
import {
  type Check,
  containersOf,
  containersWhere,
  distinct,
  isInUserNamespace,
  joined,
  namedContainers,
  plural,
  settersOf,
} from "./violations.ts";

/** From v1.25 on pods for Windows pass these checks: their fields cannot be set there. */
export const unlessWindows =
  (check: Check): Check =>
  (pod) =>
    pod.spec.os?.name === "windows" ? undefined : check(pod);

/** From v1.35 on pods in a user namespace pass: root in it is nobody on the node (KEP-127). */
export const unlessInUserNamespace =
  (check: Check): Check =>
  (pod) =>
    isInUserNamespace(pod) ? undefined : check(pod);

export const allowPrivilegeEscalation: Check = ({ spec }) => {
  const names = containersWhere(spec, (c) => c.securityContext?.allowPrivilegeEscalation !== false);
  if (names.length === 0) return undefined;
  return {
    reason: "allowPrivilegeEscalation != false",
    detail: `${namedContainers(names)} must set securityContext.allowPrivilegeEscalation=false`,
  };
};

export const capabilities: Check = ({ spec }) => {
  const keeping = containersWhere(spec, (c) => !c.securityContext?.capabilities?.drop?.includes("ALL"));
  const adding = containersOf(spec).flatMap(({ name, securityContext }) => {
    const forbidden = (securityContext?.capabilities?.add ?? []).filter((c) => c !== "NET_BIND_SERVICE");
    return forbidden.length > 0 ? [{ name, forbidden }] : [];
  });
  const details = [];
  if (keeping.length > 0)
    details.push(`${namedContainers(keeping)} must set securityContext.capabilities.drop=["ALL"]`);
  if (adding.length > 0) {
    const values = joined(distinct(adding.flatMap(({ forbidden }) => forbidden)));
    const names = namedContainers(adding.map(({ name }) => name));
    details.push(`${names} must not include ${values} in securityContext.capabilities.add`);
  }
  return details.length === 0 ? undefined : { reason: "unrestricted capabilities", detail: details.join("; ") };
};

const safeVolumes = [
  ...(["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim"] as const),
  ...(["projected", "secret"] as const),
];
const restrictedVolumeTypes = [
  ...([
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "gitRepo",
    "nfs",
    "iscsi",
    "glusterfs",
    "rbd",
  ] as const),
  ...(["flexVolume", "cinder", "cephfs", "flocker", "fc", "azureFile", "vsphereVolume", "quobyte"] as const),
  ...(["azureDisk", "photonPersistentDisk", "portworxVolume", "scaleIO", "storageos"] as const),
];
const isSafe = (volume: Volume): boolean => safeVolumes.some((type) => volume[type]);

export const restrictedVolumes: Check = ({ spec }) => {
  const found = (spec.volumes ?? []).filter((volume) => !isSafe(volume));
  if (found.length === 0) return undefined;
  const types = distinct(found.map((volume) => restrictedVolumeTypes.find((type) => volume[type]) ?? "unknown"));
  const volumes = `${plural(found.length, "volume")} ${joined(found.map(({ name }) => name))}`;
  const uses = `${plural(found.length, "uses", "use")} ${plural(types.length, "restricted volume type")}`;
  return { reason: "restricted volume types", detail: `${volumes} ${uses} ${joined(types)}` };
};

export const runAsNonRoot: Check = ({ spec }) => {
  const reason = "runAsNonRoot != true";
  const found = settersOf(spec, "runAsNonRoot", (value) => value);
  if (found) return { reason, detail: `${found.setters} must not set securityContext.runAsNonRoot=false` };
  if (spec.securityContext?.runAsNonRoot === true) return undefined;
  const names = containersWhere(spec, (c) => (c.securityContext?.runAsNonRoot ?? undefined) === undefined);
  if (names.length === 0) return undefined;
  return { reason, detail: `pod or ${namedContainers(names)} must set securityContext.runAsNonRoot=true` };
};

export const runAsUser: Check = ({ spec }) => {
  const found = settersOf(spec, "runAsUser", (user) => user !== 0);
  return found && { reason: "runAsUser=0", detail: `${found.setters} must not set runAsUser=0` };
};

export const requiredSeccompProfile: Check = (pod) => {
  const { spec } = pod;
  const violation = seccompProfile(pod);
  const ofPod = spec.securityContext?.seccompProfile;
  if (violation || (ofPod && isFiltered(ofPod))) return violation;
  const names = containersWhere(spec, (c) => !c.securityContext?.seccompProfile);
  if (names.length === 0) return undefined;
  return {
    reason: "seccompProfile",
    detail: `pod or ${namedContainers(names)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
  };
};
