// Validation of the volume sources that pods and persistent volumes share.
import type { Problem } from "../../errors.ts";
import { validateLabelName, validateSubdomainName } from "../../names.ts";
import { invalid, required, together, tooLong, unsupported } from "../../problems.ts";
import { withoutBacksteps } from "../../paths.ts";

/** A decoded source; each type of source has its own fields. */
export type Source = Readonly<Record<string, unknown>>;

/** Required fields by type of source. */
const needed: Readonly<Record<string, readonly string[]>> = {
  awsElasticBlockStore: ["volumeID"],
  azureDisk: ["diskName", "diskURI"],
  azureFile: ["secretName", "shareName"],
  cephfs: ["monitors"],
  cinder: ["volumeID"],
  csi: [],
  fc: [],
  flexVolume: ["driver"],
  flocker: [],
  gcePersistentDisk: ["pdName"],
  glusterfs: ["endpoints", "path"],
  hostPath: [],
  iscsi: ["targetPortal", "iqn"],
  local: ["path"],
  nfs: ["server", "path"],
  photonPersistentDisk: ["pdID"],
  portworxVolume: ["volumeID"],
  quobyte: ["volume"],
  rbd: ["monitors", "image"],
  scaleIO: ["gateway", "system", "volumeName"],
  storageos: ["volumeName"],
  vsphereVolume: ["volumePath"],
};
export const storageSources: readonly string[] = Object.keys(needed);

const initiators: Readonly<Record<string, RegExp>> = {
  iqn: /iqn\.\d{4}-\d{2}\.([A-Za-z0-9-.]+)(:[^,;*&$|\s]+)$/,
  eui: /^eui.[A-Za-z0-9]{16}$/,
  naa: /^naa.[A-Za-z0-9]{32}$/,
};
const isEmpty = (value: unknown): boolean =>
  value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
const text = (value: unknown): string => (typeof value === "string" ? value : "");

function initiator(name: string, path: string): readonly Problem[] {
  const form = initiators[name.slice(0, 3)];
  if (!form) return [invalid(path, name, "must be valid format starting with iqn, eui, or naa")];
  return form.test(name) ? [] : [invalid(path, name, "must be valid format")];
}

const iscsi = (source: Source, path: string): readonly Problem[] =>
  together(
    !isEmpty(source["iqn"]) && initiator(text(source["iqn"]), `${path}.iqn`),
    Boolean(source["chapAuthDiscovery"] || source["chapAuthSession"]) &&
      !source["secretRef"] &&
      required(`${path}.secretRef`),
    !isEmpty(source["initiatorName"]) && initiator(text(source["initiatorName"]), `${path}.initiatorname`),
  );

function fc(source: Source, path: string): readonly Problem[] {
  const [named, wwids] = [!isEmpty(source["targetWWNs"]), !isEmpty(source["wwids"])];
  const at = `${path}.targetWWNs`;
  return together(
    !named && !wwids && required(at, "must specify either targetWWNs or wwids, but not both"),
    named && wwids && invalid(at, source["targetWWNs"], "targetWWNs and wwids can not be specified simultaneously"),
    named && source["lun"] === undefined && required(`${path}.lun`, "lun is required if targetWWNs is specified"),
  );
}

function flocker(source: Source, path: string): readonly Problem[] {
  const [name, uuid] = [source["datasetName"], source["datasetUUID"]];
  if (isEmpty(name) && isEmpty(uuid)) return [required(path, "one of datasetName and datasetUUID is required")];
  if (!isEmpty(name) && !isEmpty(uuid))
    return [invalid(path, "resource", "datasetName and datasetUUID can not be specified simultaneously")];
  return text(name).includes("/") ? [invalid(`${path}.datasetName`, name, "must not contain '/'")] : [];
}

function reserved(source: Source, path: string): readonly Problem[] {
  return Object.keys((source["options"] as object | undefined) ?? {}).flatMap((key) => {
    const namespace = `.${key.split("/")[0]!.toLowerCase()}`;
    return namespace.endsWith(".kubernetes.io") || namespace.endsWith(".k8s.io")
      ? [invalid(`${path}.options[${key}]`, key, "kubernetes.io and k8s.io namespaces are reserved")]
      : [];
  });
}

function azureDisk(source: Source, path: string): readonly Problem[] {
  const { kind, diskURI } = source;
  const managed = kind === "Managed";
  const scheme = managed ? "/subscriptions/" : "https://";
  const form = managed
    ? "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"
    : "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd";
  return kind !== undefined && !text(diskURI).startsWith(scheme)
    ? [unsupported(`${path}.diskURI`, diskURI, [form])]
    : [];
}

function quobyte(source: Source, path: string): readonly Problem[] {
  const detail = "must be a host:port pair or multiple pairs separated by commas";
  const registry = text(source["registry"]);
  if (registry === "") return [required(`${path}.registry`, detail)];
  if (text(source["tenant"]).length >= 65)
    return [required(`${path}.tenant`, "must be a UUID and may not exceed a length of 64 characters")];
  return registry
    .split(",")
    .filter((pair) => !/^(\[[^\]]*\]|[^:]*):[^:]*$/.test(pair))
    .map(() => invalid(`${path}.registry`, registry, detail));
}

/** The name of a CSI driver. */
export const validateDriver = (driver: string, path: string): readonly Problem[] =>
  together(
    driver === "" && required(path),
    driver.length > 63 && tooLong(path, 63),
    validateSubdomainName(driver.toLowerCase(), path),
  );

const more: Readonly<Record<string, (source: Source, path: string) => readonly Problem[]>> = {
  azureDisk,
  fc,
  flocker,
  iscsi,
  quobyte,
  flexVolume: reserved,
  csi: (source, path) => validateDriver(text(source["driver"]), `${path}.driver`),
  nfs: ({ path: exported }, path) =>
    text(exported).startsWith("/") ? [] : [invalid(`${path}.path`, exported ?? "", "must be an absolute path")],
  local: ({ path: local }, path) => withoutBacksteps(text(local), `${path}.path`),
  storageos: ({ volumeName, volumeNamespace }, path) => [
    ...validateLabelName(text(volumeName), `${path}.volumeName`),
    ...validateLabelName(text(volumeNamespace), `${path}.volumeNamespace`),
  ],
};

/** Validates a source of this type. */
export const validateStorageSource = (kind: string, source: Source, path: string): readonly Problem[] =>
  together(
    (needed[kind] ?? []).filter((field) => isEmpty(source[field])).map((field) => required(`${path}.${field}`)),
    more[kind]?.(source, path) ?? [],
  );
