// What can be wrong with the notes on a pod or on a template of pods.
import type { Problem } from "../../errors.ts";
import type { DraftMeta } from "../../meta.ts";
import { validateLabels, validateQualifiedName } from "../../names.ts";
import { forbidden, required, together, tooLong } from "../../problems.ts";
import type { PodTemplateSpec } from "../../generated/types.ts";

export const validateTemplate = ({ metadata, spec }: PodTemplateSpec, path: string): readonly Problem[] =>
  together(
    validateLabels(metadata?.labels, `${path}.labels`),
    validateAnnotations(metadata?.annotations, `${path}.annotations`),
    !spec && required(`${path}.spec.containers`),
    spec?.ephemeralContainers?.length &&
      forbidden(`${path}.spec.ephemeralContainers`, "ephemeral containers not allowed in pod template"),
  );

const mostBytes = 256 * 1024;

/** Keys are qualified names, in whatever case; all of it together must not be too long. */
export function validateAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  path: string,
): readonly Problem[] {
  const all = Object.entries(annotations ?? {});
  const size = all.reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  return together(
    all.flatMap(([key]) => validateQualifiedName(key.toLowerCase(), path)),
    size > mostBytes && tooLong(path, mostBytes),
  );
}

const mirror = "kubernetes.io/config.mirror";

/** Whether a pod mirrors one that its node runs by itself is settled when it is made. */
export function validateMirrorChange(
  next: { readonly metadata: DraftMeta },
  old: { readonly metadata: DraftMeta },
): readonly Problem[] {
  const [now, then] = [next.metadata.annotations?.[mirror], old.metadata.annotations?.[mirror]];
  if (now === then) return [];
  const may = then === undefined ? "add" : "remove or update";
  return [forbidden(`metadata.annotations[${mirror}]`, `may not ${may} mirror pod annotation`)];
}
