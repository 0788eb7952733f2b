// Validation of the containers of a pod, one by one and together.
import type { Container, ContainerResizePolicy, EphemeralContainer, Volume } from "../../generated/types.ts";
import type { Problem } from "../../errors.ts";
import {
  duplicate,
  each,
  forbidden,
  invalid,
  none,
  notFound,
  oneOf,
  required,
  together,
  tooLong,
} from "../../problems.ts";
import { type HandlerContext, validateHandlers } from "./validate-handlers.ts";
import { validateMounts } from "./validate-mounts.ts";
import { validateResources } from "./validate-resources.ts";
import { validateSecurity } from "./validate-security.ts";

/** What the validation of a container needs of its pod. */
export interface Pod extends HandlerContext {
  readonly volumes: ReadonlyMap<string, Volume>;
  readonly claims: readonly string[];
  readonly restartPolicy: string;
  readonly hostUsers: boolean;
}

function validateResize(policies: readonly ContainerResizePolicy[], path: string, pod: Pod): readonly Problem[] {
  const validateEnum = (value: string, values: readonly string[]): readonly Problem[] =>
    value ? oneOf(value, path, values) : [required(path)];
  return each(policies, path, ({ resourceName, restartPolicy }, at, i) =>
    together(
      policies.findIndex((p) => p.resourceName === resourceName) < i && duplicate(at, resourceName),
      validateEnum(resourceName, ["cpu", "memory"]),
      validateEnum(restartPolicy, ["NotRequired", "RestartContainer"]),
      pod.restartPolicy === "Never" &&
        restartPolicy !== "NotRequired" &&
        invalid(path, restartPolicy, "must be 'NotRequired' when `restartPolicy` is 'Never'"),
    ),
  );
}

/** The parts of a container that depend on its pod. */
const validateInPod = (c: Container, path: string, pod: Pod): readonly Problem[] =>
  together(
    validateMounts(c, pod.volumes, path),
    validateResources(c.resources, pod.claims, `${path}.resources`),
    validateResize(c.resizePolicy ?? [], `${path}.resizePolicy`, pod),
    validateSecurity(c.securityContext, `${path}.securityContext`, pod.hostUsers),
  );

const maxRules = 20;
const maxCodes = 255;

/** Restart rules of a container. Source: KEP-5307. */
export function validateRestarts(
  { restartPolicy, restartPolicyRules: rules = [] }: Container,
  path: string,
): readonly Problem[] {
  if (rules.length === 0) return none;
  const at = `${path}.restartPolicyRules`;
  return together(
    restartPolicy === undefined &&
      required(`${path}.restartPolicy`, "must specify restartPolicy when restart rules are used"),
    rules.length > maxRules && tooLong(at, maxRules),
    rules.flatMap(({ exitCodes }, i) =>
      (exitCodes?.values?.length ?? 0) > maxCodes ? [tooLong(`${at}[${i}].exitCodes.values`, maxCodes)] : [],
    ),
  );
}

const named = (containers: readonly { readonly name: string }[]): readonly string[] => containers.map((c) => c.name);

/** A host port is used by one container only. */
function validateHostPorts(containers: readonly Container[], path: string): readonly Problem[] {
  const used = new Set<string>();
  return each(containers, path, (c, at) =>
    each(c.ports, `${at}.ports`, (p, place) => {
      if (!p.hostPort) return none;
      const port = `${p.protocol || "TCP"}/${p.hostIP ?? ""}/${p.hostPort}`;
      if (used.has(port)) return [duplicate(`${place}.hostPort`, port)];
      used.add(port);
      return none;
    }),
  );
}

/** Validates the main containers. */
export function validateContainers(containers: readonly Container[], path: string, pod: Pod): readonly Problem[] {
  const names = new Set<string>();
  return together(
    each(containers, path, (c, at) => {
      const again = names.has(c.name) ? [duplicate(`${at}.name`, c.name)] : none;
      names.add(c.name);
      return together(validateInPod(c, at, pod), again, validateHandlers(c, at, pod));
    }),
    validateHostPorts(containers, path),
  );
}

const sidecarFields = ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const;

function validateInit(c: Container, path: string, pod: Pod): readonly Problem[] {
  if (c.restartPolicy !== "Always")
    return sidecarFields
      .filter((field) => c[field] !== undefined)
      .map((field) => forbidden(`${path}.${field}`, "may not be set for init containers without restartPolicy=Always"));
  return together(
    c.restartPolicyRules?.length &&
      forbidden(
        `${path}.restartPolicyRules`,
        "restartPolicyRules are not allowed for init containers with restart policy Always",
      ),
    validateHandlers(c, path, pod),
  );
}

/** Validates init containers; `others` are the main containers. */
export function validateInitContainers(
  containers: readonly Container[],
  others: readonly Container[],
  path: string,
  pod: Pod,
): readonly Problem[] {
  const names = [...named(others), ...named(containers)];
  return each(containers, path, (c, at, i) =>
    together(
      validateInPod(c, at, pod),
      validateInit(c, at, pod),
      names.indexOf(c.name) < others.length + i && duplicate(`${at}.name`, c.name),
      validateHostPorts([c], path),
    ),
  );
}

const excludedFields = [
  "ports",
  "resources",
  "livenessProbe",
  "readinessProbe",
  "startupProbe",
  "lifecycle",
  "resizePolicy",
  "restartPolicy",
  "restartPolicyRules",
] as const;

/** Validates ephemeral containers; `others` are all other containers. */
export function validateEphemeral(
  containers: readonly EphemeralContainer[],
  others: readonly Container[],
  path: string,
  pod: Pod,
): readonly Problem[] {
  const targets = named(others);
  const names = [...targets, ...named(containers)];
  const refused = (at: string): Problem => forbidden(at, "cannot be set for an Ephemeral Container");
  return each(containers, path, (c, at, i) => {
    const target = c.targetContainerName;
    return together(
      validateInPod(c as Container, at, pod),
      validateImage(c, at),
      names.indexOf(c.name) < others.length + i && duplicate(`${at}.name`, c.name),
      target && !targets.includes(target) && notFound(`${at}.targetContainerName`, target),
      excludedFields
        .filter((field) => Object.keys((c[field] as object | undefined) ?? {}).length > 0)
        .map((field) => refused(`${at}.${field}`)),
      (c.volumeMounts ?? []).flatMap((m, j) =>
        together(
          m.subPath && refused(`${at}.volumeMounts[${j}].subPath`),
          m.subPathExpr && refused(`${at}.volumeMounts[${j}].subPathExpr`),
        ),
      ),
    );
  });
}

/** Unlike a template's, the image of a pod has no surrounding whitespace. */
export const validateImage = ({ image = "" }: { readonly image?: string }, path: string): readonly Problem[] =>
  image === image.trim() ? none : [invalid(`${path}.image`, image, "must not have leading or trailing whitespace")];
