// Images: what is there, and getting what is not.
import type Docker from "dockerode";
import { type ImageInfo, type ImageStatus, type RegistryCredentials, RuntimeRefused } from "../runtime.ts";
import { ask } from "./engine-error.ts";

/** A name without tag or digest means `latest`; asking the engine for it plainly would fetch every tag there is. */
export const withTag = (image: string): string =>
  image.includes("@") || image.slice(image.lastIndexOf("/") + 1).includes(":") ? image : `${image}:latest`;

export async function imageStatus(docker: Docker, image: string): Promise<ImageStatus | undefined> {
  const info = await ask(() => docker.getImage(withTag(image)).inspect(), 404);
  return info === undefined
    ? undefined
    : { id: info.Id, digests: info.RepoDigests ?? [], user: info.Config?.User ?? "", sizeBytes: info.Size };
}

export async function listImages(docker: Docker): Promise<readonly ImageInfo[]> {
  const all = (await ask(() => docker.listImages())) ?? [];
  const real = (names: readonly string[] | undefined): readonly string[] =>
    (names ?? []).filter((n) => !n.startsWith("<none>"));
  return all.map((i) => ({ id: i.Id, names: [...real(i.RepoDigests), ...real(i.RepoTags)], sizeBytes: i.Size }));
}

/** The engine tells of a pull's failure either at once or in the midst of its progress. */
export async function pullImage(docker: Docker, image: string, as: RegistryCredentials | undefined): Promise<void> {
  const authconfig = as && { username: as.username, password: as.password, serveraddress: as.server };
  const progress = await ask(() => docker.pull(withTag(image), authconfig ? { authconfig } : {}));
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(progress!, (error: Error | null, steps: { readonly error?: string }[] | null) => {
      const words = error?.message ?? steps?.find((s) => s.error !== undefined)?.error;
      if (words === undefined) resolve();
      else reject(new RuntimeRefused(words));
    });
  });
}
