// Lists, inspects and pulls images.
import type Docker from "dockerode";
import { type ImageInfo, type ImageStatus, type RegistryCredentials, RuntimeRefused } from "../runtime.ts";
import { engineCall } from "./engine.ts";

/** Adds the default tag `latest`: without a tag or digest the engine would pull every tag. */
export const withTag = (image: string): string =>
  image.includes("@") || image.slice(image.lastIndexOf("/") + 1).includes(":") ? image : `${image}:latest`;

export async function imageStatus(docker: Docker, image: string): Promise<ImageStatus | undefined> {
  const info = await engineCall(() => docker.getImage(withTag(image)).inspect(), 404);
  return info === undefined
    ? undefined
    : { id: info.Id, digests: info.RepoDigests ?? [], user: info.Config?.User ?? "", sizeBytes: info.Size };
}

export async function listImages(docker: Docker): Promise<readonly ImageInfo[]> {
  const all = (await engineCall(() => docker.listImages())) ?? [];
  const real = (names: readonly string[] | undefined): readonly string[] =>
    (names ?? []).filter((n) => !n.startsWith("<none>"));
  return all.map((i) => ({ id: i.Id, names: [...real(i.RepoDigests), ...real(i.RepoTags)], sizeBytes: i.Size }));
}

/** Pulls an image. The engine reports a failure at once or within the progress stream. */
export async function pullImage(docker: Docker, image: string, as: RegistryCredentials | undefined): Promise<void> {
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
