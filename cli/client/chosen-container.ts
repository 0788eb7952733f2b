// Which container of a pod a command means: the named one, that of an annotation, or the first. Pure.
import type { Pod } from "../../api/generated/types.ts";
import { CliError } from "../cli-error.ts";

const annotation = "kubectl.kubernetes.io/default-container";

/** The names of all containers: init containers first, ephemeral ones last. */
export const containersOf = ({ spec }: Pick<Pod, "spec">): readonly string[] =>
  [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])].map(({ name }) => name);

/** The containers as `Defaulted container` lists them. */
export function containerList({ spec }: Pod): string {
  const marked = (mark: string, all: readonly { readonly name: string }[] = []): readonly string[] =>
    all.map(({ name }) => name + mark);
  return [
    ...marked("", spec.containers),
    ...marked(" (ephem)", spec.ephemeralContainers),
    ...marked(" (init)", spec.initContainers),
  ].join(", ");
}

/** A container, and what standard error says about the choice. */
export interface ChosenContainer {
  readonly name: string;
  readonly notice?: string;
}

/** The container that a command means. Throws CliError when the pod has no container of that name. */
export function chosenContainer(pod: Pod, containerName: string | undefined): ChosenContainer {
  const all = containersOf(pod);
  if (containerName) {
    if (all.includes(containerName)) return { name: containerName };
    throw new CliError(
      `container ${containerName} is not valid for pod ${pod.metadata.name} out of: ${containerList(pod)}`,
    );
  }
  const byAnnotation = pod.metadata.annotations?.[annotation];
  if (byAnnotation && all.includes(byAnnotation)) return { name: byAnnotation };
  const name = pod.spec.containers[0]?.name ?? all[0]!;
  return all.length > 1 ? { name, notice: `Defaulted container "${name}" out of: ${containerList(pod)}` } : { name };
}
