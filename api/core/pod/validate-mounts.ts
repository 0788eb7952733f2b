// Validation of volume mounts and block devices of a container.
import type { Container, Volume, VolumeDevice, VolumeMount } from "../../generated/types.ts";
import type { Problem } from "../../errors.ts";
import { each, forbidden, invalid, none, notFound, required, together, unsupported } from "../../problems.ts";
import { valuesOf } from "../../schema.ts";
import { relativePath } from "../../paths.ts";

const mount = "io.k8s.api.core.v1.VolumeMount";
const propagations = valuesOf(mount, "mountPropagation");
const recursions = valuesOf(mount, "recursiveReadOnly");

function validatePropagation(mount: VolumeMount, privileged: boolean, path: string): readonly Problem[] {
  const { mountPropagation: propagation } = mount;
  if (propagation === undefined) return none;
  return together(
    !propagations.includes(propagation) && unsupported(path, propagation, propagations),
    propagation === "Bidirectional" &&
      !privileged &&
      forbidden(path, "Bidirectional mount propagation is available only to privileged containers"),
  );
}

function validateRecursion(mount: VolumeMount, path: string): readonly Problem[] {
  const { recursiveReadOnly: mode, readOnly, mountPropagation = "None" } = mount;
  if (mode === undefined || mode === "Disabled") return none;
  if (!recursions.includes(mode)) return [unsupported(path, mode, recursions)];
  return together(
    !readOnly && forbidden(path, "may only be specified when readOnly is true"),
    mountPropagation !== "None" &&
      forbidden(path, "may only be specified when mountPropagation is None or not specified"),
  );
}

const repeated = (values: readonly string[], i: number): boolean => values.indexOf(values[i]!) < i;

function validateMount(c: Container, mount: VolumeMount, at: string, isRepeated: boolean): readonly Problem[] {
  const all = at.slice(0, at.lastIndexOf("["));
  const { mountPath, name, subPath, subPathExpr } = mount;
  return together(
    !mountPath && required(`${at}.mountPath`),
    isRepeated && invalid(`${at}.mountPath`, mountPath, "must be unique"),
    c.volumeDevices?.some((d) => d.name === name) &&
      invalid(`${at}.name`, name, "must not already exist in volumeDevices"),
    c.volumeDevices?.some((d) => d.devicePath === mountPath) &&
      invalid(`${at}.mountPath`, mountPath, "must not already exist as a path in volumeDevices"),
    subPath && relativePath(subPath, `${all}.subPath`),
    subPath &&
      subPathExpr &&
      invalid(`${at}.subPathExpr`, subPathExpr, "subPathExpr and subPath are mutually exclusive"),
    subPathExpr && relativePath(subPathExpr, `${all}.subPathExpr`),
    validatePropagation(mount, c.securityContext?.privileged === true, `${all}.mountPropagation`),
    validateRecursion(mount, `${all}.recursiveReadOnly`),
  );
}

function validateDevice(c: Container, device: VolumeDevice, i: number, all: string): readonly Problem[] {
  const at = `${all}[${i}]`;
  const { devicePath, name } = device;
  const devices = c.volumeDevices ?? [];
  const mounts = c.volumeMounts ?? [];
  const names = devices.map((d) => d.name);
  const paths = devices.map((d) => d.devicePath);
  const repeatedProblem = (field: string, value: string): Problem => invalid(`${at}.${field}`, value, "must be unique");
  return together(
    repeated(names, i) && repeatedProblem("name", name),
    !devicePath && required(`${at}.devicePath`),
    repeated(paths, i) && repeatedProblem("devicePath", devicePath),
    devicePath?.split("/").includes("..") &&
      invalid(`${at}.devicePath`, devicePath, "can not contain backsteps ('..')"),
    mounts.some((m) => m.name === name) && invalid(`${at}.name`, name, "must not already exist in volumeMounts"),
    mounts.some((m) => m.mountPath === devicePath) &&
      invalid(`${at}.devicePath`, devicePath, "must not already exist as a path in volumeMounts"),
  );
}

/** Validates the mounts and devices of a container; `volumes` are the valid volumes of its pod. */
export function validateMounts(c: Container, volumes: ReadonlyMap<string, Volume>, path: string): readonly Problem[] {
  const named = (name: string, at: string): readonly Problem[] => {
    const missing = volumes.has(name) ? none : [notFound(at, name)];
    return name ? missing : together(required(at), missing);
  };
  const block = (name: string, at: string): readonly Problem[] => {
    const volume = volumes.get(name);
    if (!volume || volume.persistentVolumeClaim || volume.ephemeral) return [];
    return [invalid(at, name, "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode")];
  };
  const paths = new Set<string>();
  return together(
    each(c.volumeMounts, `${path}.volumeMounts`, (mount, at) => {
      const isRepeated = paths.has(mount.mountPath);
      paths.add(mount.mountPath);
      return together(named(mount.name, `${at}.name`), validateMount(c, mount, at, isRepeated));
    }),
    each(c.volumeDevices, `${path}.volumeDevices`, (device, at, i) =>
      together(
        block(device.name, `${at}.name`),
        named(device.name, `${at}.name`),
        validateDevice(c, device, i, `${path}.volumeDevices`),
      ),
    ),
  );
}
