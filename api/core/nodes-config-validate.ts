// What can be wrong with where a node is told to have its configuration from: a field that is no longer heeded, and
// judged for the sake of those that have it.
import { validateDataKey } from "../data-keys.ts";
import type { Problem } from "../errors.ts";
import type { ConfigMapNodeConfigSource, NodeConfigSource, NodeConfigStatus } from "../generated/types.ts";
import { validateLabelName, validateSubdomainName } from "../names.ts";
import { forbidden, invalid, required, together } from "../problems.ts";

const one = "exactly one reference subfield must be non-nil";

/** A map is known by its name alone where it is asked for, and to the revision where it was found. */
function validateMap(source: ConfigMapNodeConfigSource, path: string, isFound: boolean): readonly Problem[] {
  const known = (["uid", "resourceVersion"] as const).flatMap((field) => {
    if (isFound) return source[field] ? [] : [required(`${path}.${field}`, `${field} must be set in status`)];
    return source[field] ? [forbidden(`${path}.${field}`, `${field} must not be set in spec`)] : [];
  });
  const validateField = (field: "namespace" | "name" | "kubeletConfigKey", validate: typeof validateDataKey) =>
    source[field]
      ? validate(source[field], `${path}.${field}`)
      : [required(`${path}.${field}`, `${field} must be set`)];
  return together(
    known,
    validateField("namespace", validateLabelName),
    validateField("name", validateSubdomainName),
    validateField("kubeletConfigKey", validateDataKey),
  );
}

/** What is wrong with a source of configuration. */
export const validateConfigSource = (
  source: NodeConfigSource | undefined,
  path: string,
  isFound = false,
): readonly Problem[] => {
  if (!source) return [];
  return source.configMap ? validateMap(source.configMap, `${path}.configMap`, isFound) : [invalid(path, source, one)];
};

/** The same of those a node says it has. */
export const validateConfigStatus = (config: NodeConfigStatus = {}): readonly Problem[] =>
  (["assigned", "active", "lastKnownGood"] as const).flatMap((field) =>
    validateConfigSource(config[field], `status.config.${field}`, true),
  );
