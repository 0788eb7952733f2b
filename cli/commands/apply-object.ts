// Applies one object: a three-way merge in the client, or the server's own apply.
import { hasReason } from "../../api/errors.ts";
import type { ApiObject } from "../../api/meta.ts";
import { schemaOfKind } from "../../api/schema.ts";
import { appliesAnnotation, movedOwners } from "../client/field-owners.ts";
import { fileObject } from "../client/file-object.ts";
import { lastApplied, lastAppliedOf, withLastApplied } from "../client/last-applied.ts";
import { mergeDiff } from "../client/merge-diff.ts";
import { pathOf, query } from "../client/resources.ts";
import type { Session } from "../client/session.ts";
import { type Target, targetPath } from "../client/targets.ts";
import { threeWayMerge } from "../client/three-way.ts";
import { warn } from "../program/output.ts";
import { clock } from "./cluster-option.ts";
import type { DryRun } from "./dry-run.ts";

/** How objects are applied. */
export interface ApplyOptions {
  readonly dryRun: DryRun;
  readonly fieldManager: string;
  readonly fieldValidation: string;
  /** Deletes and creates again what cannot be changed. */
  readonly force: boolean;
  /** Takes fields over from other managers, with server-side apply. */
  readonly forceConflicts: boolean;
  readonly gracePeriod: number;
  /** Whether the result is only compared with the object, and nothing is said about it. */
  readonly isComparison?: boolean;
}
/** The managers that kubectl gives to what it applies. */
export const fieldManagers = { client: "kubectl-client-side-apply", server: "kubectl" } as const;

/** The object after apply, and the word for what was done. */
export interface Applied {
  readonly object: ApiObject;
  readonly operation: string;
}
type Plain = Readonly<Record<string, unknown>>;
type Applier = (scope: Session, target: Target, options: ApplyOptions) => Promise<Applied>;

const maxRetries = 5;
const isMissing = (error: unknown): undefined => {
  if (hasReason(error, "NotFound")) return undefined;
  throw error;
};

const parametersOf = ({ dryRun, fieldManager, fieldValidation }: ApplyOptions) => ({
  fieldManager,
  fieldValidation,
  dryRun: dryRun === "server" ? "All" : undefined,
});

/** The object of the manifest with the annotation. */
const configurationOf = (target: Target) => withLastApplied(fileObject(target));

async function create({ api }: Session, target: Target, options: ApplyOptions): Promise<Applied> {
  const modified = configurationOf(target);
  if (options.dryRun === "client") return { object: modified as unknown as ApiObject, operation: "created" };
  const path = pathOf(target.resource, target.namespace) + query(parametersOf(options));
  const { body } = await api.request<ApiObject>({ method: "POST", path, body: modified });
  return { object: body, operation: "created" };
}

/** Deletes the object, waits until it is gone, and creates it. */
async function replace(scope: Session, target: Target, options: ApplyOptions): Promise<Applied> {
  const path = targetPath(target);
  const body = { kind: "DeleteOptions", apiVersion: "v1", gracePeriodSeconds: Math.max(0, options.gracePeriod) };
  await scope.api.request({ method: "DELETE", path, body });
  while ((await scope.api.get(path).catch(isMissing)) !== undefined) await clock.sleep(100);
  return { ...(await create(scope, target, options)), operation: "configured" };
}

function warnAboutAnnotation(current: ApiObject, { resource, name }: Target): void {
  if (current.metadata.annotations?.[lastApplied] !== undefined) return;
  warn(
    `resource ${resource.plural}/${name} is missing the ${lastApplied} annotation which is required by orrery apply. orrery apply should only be used on resources created declaratively by either orrery create --save-config or orrery apply. The missing annotation will be patched automatically.`,
  );
}

/** Sends the difference, on the condition that nobody has changed the object since. */
async function update(scope: Session, target: Target, current: ApiObject, options: ApplyOptions): Promise<Applied> {
  const { apiVersion, kind } = target.manifest!.object;
  const modified = configurationOf(target);
  const schema = schemaOfKind(apiVersion, kind);
  const merged = threeWayMerge(lastAppliedOf(current) ?? {}, modified, current, schema) as ApiObject & Plain;
  const patch = mergeDiff(current as unknown as Plain, merged);
  if (patch === undefined) return { object: current, operation: "unchanged" };
  if (options.dryRun === "client") return { object: merged, operation: "configured" };
  const { resourceVersion } = current.metadata;
  // The version of a manifest is a condition of its own.
  const metadata = { resourceVersion, ...(patch["metadata"] as Plain | undefined) };
  const body = { ...patch, metadata };
  const response = await scope.api.request<ApiObject>({
    method: "PATCH",
    path: targetPath(target) + query(parametersOf(options)),
    body,
    contentType: "application/merge-patch+json",
  });
  const isSame = response.body.metadata.resourceVersion === resourceVersion;
  return { object: response.body, operation: isSame && options.dryRun === "none" ? "unchanged" : "configured" };
}

/** Client-side apply, as kubectl does by default. */
export const applyInClient: Applier = async (scope, target, options) => {
  for (let tries = 0; ; tries++) {
    const current = await scope.api.get<ApiObject>(targetPath(target)).catch(isMissing);
    if (current === undefined) return create(scope, target, options);
    if (tries === 0 && !options.isComparison) warnAboutAnnotation(current, target);
    try {
      return await update(scope, target, current, options);
    } catch (error) {
      const hasVersion = "resourceVersion" in target.manifest!.object.metadata;
      if (hasReason(error, "Conflict") && !hasVersion && tries < maxRetries) continue;
      if (options.force && options.dryRun === "none" && hasReason(error, "Conflict", "Invalid"))
        return replace(scope, target, options);
      throw error;
    }
  }
};

async function patched({ api }: Session, target: Target, body: object, options: ApplyOptions): Promise<ApiObject> {
  const response = await api.request<ApiObject>({
    method: "PATCH",
    path: targetPath(target) + query({ ...parametersOf(options), force: options.forceConflicts }),
    body,
    contentType: "application/apply-patch+yaml",
  });
  return response.body;
}

/** Gives the annotation a manager of its own, because the next patch does not have it. */
async function keepAnnotation(scope: Session, target: Target, object: ApiObject, options: ApplyOptions): Promise<void> {
  const configuration = object.metadata.annotations?.[lastApplied];
  if (options.fieldManager !== fieldManagers.server || configuration === undefined || appliesAnnotation(object)) return;
  const { apiVersion, kind, metadata } = fileObject(target);
  const { name, namespace } = metadata;
  const annotations = { [lastApplied]: configuration };
  const body = { apiVersion, kind, metadata: { name, ...(namespace && { namespace }), annotations } };
  await patched(scope, target, body, { ...options, fieldManager: "kubectl-last-applied", forceConflicts: false });
}

/** Moves the fields of client-side apply to the manager of server-side apply. False if there were none. */
async function moveOwners(scope: Session, target: Target, options: ApplyOptions): Promise<boolean> {
  for (let tries = 0; ; tries++) {
    const object = await scope.api.get<ApiObject>(targetPath(target));
    const managedFields = movedOwners(object, options.fieldManager);
    if (managedFields === undefined) return false;
    const body = [
      { op: "replace", path: "/metadata/managedFields", value: managedFields },
      { op: "replace", path: "/metadata/resourceVersion", value: object.metadata.resourceVersion },
    ];
    try {
      const contentType = "application/json-patch+json";
      await scope.api.request({ method: "PATCH", path: targetPath(target), body, contentType });
      return true;
    } catch (error) {
      if (!hasReason(error, "Conflict") || tries >= maxRetries) throw error;
    }
  }
}

/** Server-side apply. Objects of client-side apply change their manager. */
export const applyInServer: Applier = async (scope, target, options) => {
  const operation = "serverside-applied";
  const object = await patched(scope, target, fileObject(target), options);
  if (options.dryRun !== "none" || movedOwners(object, options.fieldManager) === undefined)
    return { object, operation };
  await keepAnnotation(scope, target, object, options);
  if (!(await moveOwners(scope, target, options))) return { object, operation };
  return { object: await patched(scope, target, fileObject(target), options), operation };
};
