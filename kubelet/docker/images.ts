// Images of the engine: what it has, and pulls, from the cluster's registry first.
import type Docker from "dockerode";
import { nameInRegistry } from "../images.ts";
import { type ImageInfo, type ImageStatus, type RegistryCredentials, RuntimeRefused } from "../runtime.ts";
import { engineCall } from "./engine.ts";

/** Adds the default tag `latest`: without a tag or digest the engine would pull every tag. */
export const withTag = (image: string): string =>
  image.includes("@") || image.slice(image.lastIndexOf("/") + 1).includes(":") ? image : `${image}:latest`;

/** The image, if the engine has it. */
export async function imageStatus(docker: Docker, image: string): Promise<ImageStatus | undefined> {
  const info = await engineCall(() => docker.getImage(withTag(image)).inspect(), 404);
  return info === undefined
    ? undefined
    : { id: info.Id, digests: info.RepoDigests ?? [], user: info.Config?.User ?? "", sizeBytes: info.Size };
}

/** All images, without names that stand for none. */
export async function listImages(docker: Docker): Promise<readonly ImageInfo[]> {
  const all = (await engineCall(() => docker.listImages())) ?? [];
  const real = (names: readonly string[] | undefined): readonly string[] =>
    (names ?? []).filter((n) => !n.startsWith("<none>"));
  return all.map((i) => ({ id: i.Id, names: [...real(i.RepoDigests), ...real(i.RepoTags)], sizeBytes: i.Size }));
}

/** Pulls from the registry in the image's name. The engine reports a failure at once or within the progress stream. */
async function pullByName(docker: Docker, image: string, as?: RegistryCredentials): Promise<void> {
  const authconfig = as && { username: as.username, password: as.password, serveraddress: as.server };
  const progress = await engineCall(() => docker.pull(withTag(image), authconfig ? { authconfig } : {}));
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(progress!, (error: Error | null, steps: { readonly error?: string }[] | null) => {
      const words = error?.message ?? steps?.find((s) => s.error !== undefined)?.error;
      if (words === undefined) resolve();
      else reject(new RuntimeRefused(words));
    });
  });
}

/** Pulls from a registry that serves images of others, and gives the image its own name. */
async function pullThrough(docker: Docker, registry: string, image: string): Promise<void> {
  const name = `${registry}/${nameInRegistry(image)}`;
  await pullByName(docker, name);
  const [repo, tag] = splitTag(withTag(image));
  await engineCall(() => docker.getImage(name).tag({ repo, tag }));
  // Removes the name only, since the image has another.
  await engineCall(() => docker.getImage(name).remove(), 404);
}

const splitTag = (image: string): readonly [repo: string, tag: string] => {
  const colon = image.lastIndexOf(":");
  return [image.slice(0, colon), image.slice(colon + 1)];
};

/**
 * Pulls an image from the cluster's registry, or else from its own. The former has images of the user's engine, without
 * digests that a registry gave. A pull with credentials goes to the image's own registry, which decides who may see it.
 */
export async function pull(
  docker: Docker,
  registry: string | undefined,
  image: string,
  as: RegistryCredentials | undefined,
): Promise<void> {
  if (registry === undefined || as !== undefined || image.includes("@")) return pullByName(docker, image, as);
  try {
    await pullThrough(docker, registry, image);
  } catch (e) {
    if (!(e instanceof RuntimeRefused)) throw e;
    await pullByName(docker, image);
  }
}
