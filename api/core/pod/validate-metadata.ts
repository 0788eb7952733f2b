// Validation of the metadata of pods and pod templates.
import type { Problem } from "../../errors.ts";
import type { DraftMeta } from "../../meta.ts";
import { validateLabels, validateQualifiedName } from "../../names.ts";
import { forbidden, required, together, tooLong } from "../../problems.ts";
import type { PodTemplateSpec } from "../../generated/types.ts";
import { mirrorAnnotation } from "./mirror.ts";

/** Validates the metadata of a template, and that it has containers but no ephemeral ones. */
export const validateTemplate = ({ metadata, spec }: PodTemplateSpec, path: string): readonly Problem[] =>
  together(
    validateLabels(metadata?.labels, `${path}.labels`),
    validateAnnotations(metadata?.annotations, `${path}.annotations`),
    !spec && required(`${path}.spec.containers`),
    spec?.ephemeralContainers?.length &&
      forbidden(`${path}.spec.ephemeralContainers`, "ephemeral containers not allowed in pod template"),
  );

const maxBytes = 256 * 1024;

/** Keys are qualified names in any case; the total size is limited. */
export function validateAnnotations(
  annotations: Readonly<Record<string, string>> = {},
  path: string,
): readonly Problem[] {
  const size = Object.entries(annotations).reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  return together(
    Object.keys(annotations).flatMap((key) => validateQualifiedName(key.toLowerCase(), path)),
    size > maxBytes && tooLong(path, maxBytes),
  );
}

/** The annotation of a mirror pod, which stands for a static pod of its node, is immutable. */
export function validateMirrorChange(next: { metadata: DraftMeta }, old: { metadata: DraftMeta }): readonly Problem[] {
  const [now, then] = [next.metadata.annotations?.[mirrorAnnotation], old.metadata.annotations?.[mirrorAnnotation]];
  if (now === then) return [];
  const may = then === undefined ? "add" : "remove or update";
  return [forbidden(`metadata.annotations[${mirrorAnnotation}]`, `may not ${may} mirror pod annotation`)];
}
