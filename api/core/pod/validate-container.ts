// What can be wrong with a container, and with the containers of a pod together.
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
import { type Surroundings, validateHandlers } from "./validate-handlers.ts";
import { validateMounts } from "./validate-mounts.ts";
import { validateResources } from "./validate-resources.ts";
import { validateSecurity } from "./validate-security.ts";

/** What a container has to know of its pod. */
export interface Pod extends Surroundings {
  readonly volumes: ReadonlyMap<string, Volume>;
  readonly claims: readonly string[];
  readonly restartPolicy: string;
  readonly hostUsers: boolean;
}

function validateResize(policies: readonly ContainerResizePolicy[], path: string, pod: Pod): readonly Problem[] {
  const word = (value: string, values: readonly string[]): readonly Problem[] =>
    value ? oneOf(value, path, values) : [required(path)];
  return each(policies, path, ({ resourceName, restartPolicy }, at, i) =>
    together(
      policies.findIndex((p) => p.resourceName === resourceName) < i && duplicate(at, resourceName),
      word(resourceName, ["cpu", "memory"]),
      word(restartPolicy, ["NotRequired", "RestartContainer"]),
      pod.restartPolicy === "Never" &&
        restartPolicy !== "NotRequired" &&
        invalid(path, restartPolicy, "must be 'NotRequired' when `restartPolicy` is 'Never'"),
    ),
  );
}

/** What of a container depends on its pod. */
const validateInPod = (c: Container, path: string, pod: Pod): readonly Problem[] =>
  together(
    validateMounts(c, pod.volumes, path),
    validateResources(c.resources, pod.claims, `${path}.resources`),
    validateResize(c.resizePolicy ?? [], `${path}.resizePolicy`, pod),
    validateSecurity(c.securityContext, `${path}.securityContext`, pod.hostUsers),
  );

const mostRules = 20;
const mostCodes = 255;

/** When a container is started again, where that is not what its pod says of all. */
export function validateRestarts(
  { restartPolicy, restartPolicyRules: rules = [] }: Container,
  path: string,
): readonly Problem[] {
  if (rules.length === 0) return none;
  const at = `${path}.restartPolicyRules`;
  return together(
    restartPolicy === undefined &&
      required(`${path}.restartPolicy`, "must specify restartPolicy when restart rules are used"),
    rules.length > mostRules && tooLong(at, mostRules),
    rules.flatMap(({ exitCodes }, i) =>
      (exitCodes?.values?.length ?? 0) > mostCodes ? [tooLong(`${at}[${i}].exitCodes.values`, mostCodes)] : [],
    ),
  );
}

const named = (containers: readonly { readonly name: string }[]): readonly string[] => containers.map((c) => c.name);

/** A port of the node can be had by one container only. */
function validateHostPorts(containers: readonly Container[], path: string): readonly Problem[] {
  const taken = new Set<string>();
  return each(containers, path, (c, at) =>
    each(c.ports, `${at}.ports`, (p, place) => {
      if (!p.hostPort) return none;
      const port = `${p.protocol || "TCP"}/${p.hostIP ?? ""}/${p.hostPort}`;
      if (taken.has(port)) return [duplicate(`${place}.hostPort`, port)];
      taken.add(port);
      return none;
    }),
  );
}

/** What is wrong with the containers a pod is there for, in view of each other and of the pod. */
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

const forSidecars = ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const;

function validateInit(c: Container, path: string, pod: Pod): readonly Problem[] {
  if (c.restartPolicy !== "Always")
    return forSidecars
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

/** What is wrong with the containers that come first; `others` are those that come after. */
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

const forLasting = [
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

/** What is wrong with containers that somebody adds to look around; `others` are all that were there before. */
export function validateEphemeral(
  containers: readonly EphemeralContainer[],
  others: readonly Container[],
  path: string,
  pod: Pod,
): readonly Problem[] {
  const lasting = named(others);
  const names = [...lasting, ...named(containers)];
  const refused = (at: string): Problem => forbidden(at, "cannot be set for an Ephemeral Container");
  return each(containers, path, (c, at, i) => {
    const target = c.targetContainerName;
    return together(
      validateInPod(c as Container, at, pod),
      validateImage(c, at),
      names.indexOf(c.name) < others.length + i && duplicate(`${at}.name`, c.name),
      target && !lasting.includes(target) && notFound(`${at}.targetContainerName`, target),
      forLasting
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

/** A template may have blanks around an image, a pod may not. */
export const validateImage = ({ image = "" }: { readonly image?: string }, path: string): readonly Problem[] =>
  image === image.trim() ? none : [invalid(`${path}.image`, image, "must not have leading or trailing whitespace")];
