// What can be wrong with the volumes of a pod: one source each, told completely.
import type { Volume } from "../../generated/types.ts";
import type { Problem } from "../../errors.ts";
import { validateLabelName, validateSubdomainName } from "../../names.ts";
import { duplicate, each, forbidden, none, oneOf, required, together } from "../../problems.ts";
import { parseQuantity } from "../../quantity.ts";
import { validateClaimSpec } from "../persistentvolumeclaims-spec.ts";
import { fileMode, relativePath } from "./paths.ts";
import { validateDownwardFile, validateItems } from "./projected-files.ts";
import { type Source, storageSources, validateStorageSource } from "./storage-sources.ts";
import { validateProjected } from "./validate-projections.ts";

function validateEphemeral({ ephemeral }: Volume, path: string): readonly Problem[] {
  const template = ephemeral?.volumeClaimTemplate;
  if (!template) return [required(`${path}.volumeClaimTemplate`)];
  const { name } = template.metadata ?? {};
  return [
    ...(name ? [forbidden(`${path}.volumeClaimTemplate.metadata.name`, "must not be set in the template")] : []),
    ...validateClaimSpec(template.spec ?? {}, `${path}.volumeClaimTemplate.spec`),
  ];
}

type Rule = (v: Volume, path: string) => readonly Problem[];
const rules: Readonly<Record<string, Rule>> = {
  emptyDir: ({ emptyDir }, path) =>
    (parseQuantity(emptyDir?.sizeLimit ?? "0")?.nano ?? 0n) < 0n
      ? [forbidden(`${path}.sizeLimit`, "SizeLimit field must be a valid resource quantity")]
      : [],
  gitRepo: ({ gitRepo }, path) => [
    ...(gitRepo?.repository ? [] : [required(`${path}.repository`)]),
    ...relativePath(gitRepo?.directory ?? "", `${path}.directory`),
  ],
  secret: ({ secret }, path) => [
    ...(secret?.secretName ? [] : [required(`${path}.secretName`)]),
    ...fileMode(secret?.defaultMode, `${path}.defaultMode`),
    ...validateItems(secret?.items, path),
  ],
  configMap: ({ configMap }, path) =>
    together(
      configMap?.name ? none : [required(`${path}.name`)],
      fileMode(configMap?.defaultMode, `${path}.defaultMode`),
      validateItems(configMap?.items, path),
    ),
  persistentVolumeClaim: ({ persistentVolumeClaim: claim }, path) =>
    claim?.claimName ? [] : [required(`${path}.claimName`)],
  downwardAPI: ({ downwardAPI }, path) => [
    ...fileMode(downwardAPI?.defaultMode, `${path}.defaultMode`),
    ...(downwardAPI?.items ?? []).flatMap((file) => validateDownwardFile(file, path)),
  ],
  projected: ({ projected }, path) =>
    together(
      fileMode(projected?.defaultMode, `${path}.defaultMode`),
      validateProjected(projected?.sources ?? [], path),
    ),
  image: ({ image }, path) => [
    ...(image?.reference ? [] : [required(`${path}.reference`)]),
    ...oneOf(image?.pullPolicy, `${path}.pullPolicy`, ["Always", "IfNotPresent", "Never"]),
  ],
};

const withSecrets = ["csi", "cinder", "storageos"];

function validateSource(kind: string, v: Volume, path: string): readonly Problem[] {
  if (kind === "ephemeral") return validateEphemeral(v, path);
  const source = (v as unknown as Readonly<Record<string, Source>>)[kind] ?? {};
  const secret = (source["nodePublishSecretRef"] ?? source["secretRef"]) as { readonly name?: string } | undefined;
  const field = kind === "csi" ? "nodePublishSecretRef" : "secretRef";
  const named = withSecrets.includes(kind) && secret && !secret.name;
  return together(
    rules[kind]?.(v, path) ?? none,
    storageSources.includes(kind) ? validateStorageSource(kind, source, path) : none,
    named ? [required(`${path}.${field}.name`)] : none,
    kind === "csi" ? validateSubdomainName(secret?.name, `${path}.name`) : none,
  );
}

/** What is wrong with one volume. */
function validateVolume(v: Volume, path: string): readonly Problem[] {
  const [first, ...more] = Object.keys(v).filter((k) => k !== "name");
  return together(
    first === undefined ? [required(path, "must specify a volume type")] : validateSource(first, v, `${path}.${first}`),
    more.map((kind) => forbidden(`${path}.${kind}`, "may not specify more than 1 volume type")),
    v.name ? validateLabelName(v.name, `${path}.name`) : [required(`${path}.name`)],
  );
}

/** What is wrong with the volumes of a pod, and those that nothing is wrong with. */
export function validateVolumes(
  volumes: readonly Volume[],
  path: string,
): { readonly problems: readonly Problem[]; readonly sound: ReadonlyMap<string, Volume> } {
  const sound = new Map<string, Volume>();
  const problems = each(volumes, path, (v, at) => {
    const own = validateVolume(v, at);
    const all = sound.has(v.name) ? [...own, duplicate(`${at}.name`, v.name)] : own;
    if (all.length === 0) sound.set(v.name, v);
    return all;
  });
  return { problems, sound };
}
