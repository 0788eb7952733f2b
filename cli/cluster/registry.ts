// The registry of a cluster: serves images of this machine's engine to all nodes, under their own names.
import { rm } from "node:fs/promises";
import { nameInRegistry } from "../../kubelet/images.ts";
import { CliError } from "../cli-error.ts";
import { cacheDir } from "../paths.ts";
import type { Place } from "./control-planes.ts";
import { addressIn } from "./subnet.ts";
import { run } from "./subprocess.ts";

/** Where the registry is. The addresses from 11 on are those of workers. */
export const registryPlace = (cluster: string, subnet: string): Place => ({
  name: `${cluster}-registry`,
  ip: addressIn(subnet, 10),
});

/** The address of the registry for the engines of nodes. */
export const registryAddress = ({ name }: Place): string => `${name}:5000`;

/** Its address where the name of its container does not resolve. Its certificate has both. */
export const numericRegistryAddress = ({ ip }: Place): string => `${ip}:5000`;

/** Each image and its name in the registry: the arguments of images/node/push-images.sh. */
export const pushArguments = (images: readonly string[]): readonly string[] =>
  images.flatMap((image) => [image, nameInRegistry(image)]);

/** Puts images of an archive of `docker save` into the registry. */
export const pushArchive = (registry: Place, file: string, images: readonly string[]): Promise<string> =>
  run(["docker", "exec", "-i", registry.name, "push-images.sh", ...pushArguments(images)], { inputFile: file });

/** Saves images of this machine's engine to a file for as long as it is used. */
export const withArchive = async <T>(images: readonly string[], use: (file: string) => Promise<T>): Promise<T> => {
  const file = cacheDir(`images-${process.pid}.tar`);
  try {
    await run(["docker", "save", "-o", file, ...images]);
    return await use(file);
  } finally {
    await rm(file, { force: true });
  }
};

/** The registry of a cluster. Throws CliError for a cluster that was made without one. */
export const requireRegistry = ({ name, registry }: { readonly name: string; readonly registry?: Place }): Place => {
  if (registry) return registry;
  throw new CliError(
    `cluster "${name}" has no registry, because an earlier version made it`,
    `Copy images into its nodes with: orrery image load, or make the cluster again: orrery down --name ${name}`,
  );
};
