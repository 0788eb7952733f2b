// Shows the files of an image in a folder, by mounting the layers that the engine keeps as folders.
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type Docker from "dockerode";
import { mountsBelow, mountTable } from "../../machinery/mount-table.ts";
import { runProgram } from "../../machinery/run-program.ts";
import { RuntimeRefused } from "../runtime.ts";
import { engineCall } from "./engine.ts";
import { withTag } from "./images.ts";

/** `noexec`, which KEP-4639 asks for as well, would not last: Docker's mount of the folder in a container resets it. */
const options = "ro,nosuid,nodev";

/**
 * The short link to a layer, which the storage driver overlay2 makes because the options of a mount fit one page of
 * memory, and an image may have more than a hundred layers.
 */
async function shortPath(layer: string): Promise<string> {
  const folder = dirname(layer);
  const link = await readFile(join(folder, "link"), "utf8").catch(() => undefined);
  return link === undefined ? layer : join(dirname(folder), "l", link.trim());
}

/** The folders of an image's layers, the topmost first. */
async function layersOf(docker: Docker, image: string): Promise<readonly string[]> {
  const info = await engineCall(() => docker.getImage(withTag(image)).inspect(), 404);
  if (info === undefined) throw new RuntimeRefused(`no such image: ${image}`);
  const { Name: driver = "none", Data: data } = info.GraphDriver ?? {};
  const { UpperDir: upper, LowerDir: lower = "" } = (data ?? {}) as Readonly<Record<string, string>>;
  if (driver !== "overlay2" || upper === undefined)
    throw new RuntimeRefused(`images can be mounted with the storage driver overlay2, and this engine uses ${driver}`);
  return Promise.all([upper, ...lower.split(":").filter((layer) => layer !== "")].map(shortPath));
}

const restrict = (folder: string): Promise<unknown> => runProgram("mount", ["-o", `remount,bind,${options}`, folder]);

/** Mounts the layers over each other; one alone is no overlay. */
async function mountLayers(layers: readonly string[], folder: string): Promise<void> {
  const [first = ""] = layers;
  if (layers.length > 1)
    return void (await runProgram("mount", [
      "-t",
      "overlay",
      "-o",
      `${options},lowerdir=${layers.join(":")}`,
      "overlay",
      folder,
    ]));
  await runProgram("mount", ["--bind", first, folder]);
  await restrict(folder);
}

/** Shows the image in the folder, unless one is shown there. Throws RuntimeRefused when it cannot be mounted. */
export async function mountImage(docker: Docker, image: string, folder: string): Promise<void> {
  // A kubelet that was killed may have left a layer that can be written.
  if (mountsBelow(await mountTable(), folder).includes(folder)) return void (await restrict(folder));
  const layers = await layersOf(docker, image);
  try {
    await mountLayers(layers, folder);
  } catch (e) {
    throw new RuntimeRefused((e as Error).message);
  }
}
