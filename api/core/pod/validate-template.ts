// What can be wrong with the metadata of a template of pods, and with containers that have no place in one.
import type { PodTemplateSpec } from "../../generated/types.ts";
import type { Problem } from "../../errors.ts";
import { validateLabels } from "../../names.ts";
import { forbidden, required, together } from "../../problems.ts";
import { validateAnnotations } from "./validate-annotations.ts";

export const validateTemplate = ({ metadata, spec }: PodTemplateSpec, path: string): readonly Problem[] =>
  together(
    validateLabels(metadata?.labels, `${path}.labels`),
    validateAnnotations(metadata?.annotations, `${path}.annotations`),
    !spec && required(`${path}.spec.containers`),
    spec?.ephemeralContainers?.length &&
      forbidden(`${path}.spec.ephemeralContainers`, "ephemeral containers not allowed in pod template"),
  );
