// What can be wrong with a template of pods, wherever one stands.
import type { PodTemplateSpec } from "../../generated/types.ts";
import type { Problem } from "../../errors.ts";
import { validateLabels } from "../../names.ts";
import { forbidden, required } from "../../problems.ts";
import { validateAnnotations } from "./validate-annotations.ts";
import { validatePodSpec } from "./validate-spec.ts";

export function validateTemplate(template: PodTemplateSpec, path: string): readonly Problem[] {
  const { metadata, spec } = template;
  return [
    ...validateLabels(metadata?.labels, `${path}.labels`),
    ...validateAnnotations(metadata?.annotations, `${path}.annotations`),
    ...(spec ? validatePodSpec(spec, `${path}.spec`) : [required(`${path}.spec.containers`)]),
    ...(spec?.ephemeralContainers?.length
      ? [forbidden(`${path}.spec.ephemeralContainers`, "ephemeral containers not allowed in pod template")]
      : []),
  ];
}
