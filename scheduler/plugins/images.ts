// Nodes that already hold the images of a pod need not pull them.
import type { Pod } from "../../api/generated/types.ts";
import { skip, type SchedulerPlugin } from "../framework.ts";

const mebi = 1024 * 1024;
/** Below this, pulling is too cheap to matter; above `maxBytes` a container, more does not count. */
const [minBytes, maxBytes] = [23 * mebi, 1000 * mebi];

/** The name that the node lists it under: with a tag. */
const tagged = (image: string): string =>
  image.lastIndexOf(":") <= image.lastIndexOf("/") ? `${image}:latest` : image;

function imagesOf({ spec }: Pod): readonly string[] {
  const containers = [...(spec.initContainers ?? []), ...spec.containers].map((c) => c.image ?? "");
  const volumes = (spec.volumes ?? []).flatMap((v) => v.image?.reference ?? []);
  return [...containers, ...volumes].map(tagged);
}

interface PodImages {
  /** Each with the share of the nodes that hold it: an image held by few must not attract every pod. */
  readonly images: readonly (readonly [name: string, spread: number])[];
  readonly ceiling: number;
}

export const imageLocality: SchedulerPlugin<undefined, PodImages> = {
  name: "ImageLocality",
  sign: ({ pod }) => JSON.stringify(imagesOf(pod)),
  scoresByCluster: true,
  preScore({ pod }, _, { nodes, imageNodes }) {
    const images = imagesOf(pod).flatMap((image) => {
      const holders = imageNodes.get(image);
      return holders === undefined ? [] : [[image, holders / nodes.length] as const];
    });
    if (images.length === 0) return skip;
    return { images, ceiling: maxBytes * (pod.spec.containers.length + (pod.spec.initContainers?.length ?? 0)) };
  },
  score({ images, ceiling }, node) {
    let held = 0;
    for (const [image, spread] of images) held += Math.trunc((node.images.get(image) ?? 0) * spread);
    return Math.trunc((100 * (Math.min(Math.max(held, minBytes), ceiling) - minBytes)) / (ceiling - minBytes));
  },
};
