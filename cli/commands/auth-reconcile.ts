// orrery auth reconcile: creates roles and bindings, and adds to existing ones what they lack.
import type { Command } from "commander";
import { hasReason, ifFound } from "../../api/errors.ts";
import type { AccessObject, Reconciliation, Removal } from "../../api/rbac/reconcile.ts";
import { CliError } from "../cli-error.ts";
import { pathOf } from "../client/resources.ts";
import { type Session, session } from "../client/session.ts";
import { manifestTargets, type Target, type TargetFlags, targetPath } from "../client/targets.ts";
import { explainedReconciliation } from "../generators/rbac-reconcile.ts";
import { withFiles } from "./object-options.ts";
import { type ResultFlags, resultsOf, withResult } from "./result.ts";

interface Flags extends ResultFlags, TargetFlags, Removal {}

/** Creates an object, and its namespace if that is missing. */
async function create({ api }: Session, { resource, namespace }: Target, body: AccessObject): Promise<object> {
  const path = pathOf(resource, namespace);
  const post = async (): Promise<object> => (await api.request<object>({ method: "POST", path, body })).body;
  try {
    return await post();
  } catch (error) {
    if (namespace === undefined || !hasReason(error, "NotFound")) throw error;
    const metadata = { name: namespace };
    await api.request({
      method: "POST",
      path: "/api/v1/namespaces",
      body: { apiVersion: "v1", kind: "Namespace", metadata },
    });
    return post();
  }
}

async function send(
  scope: Session,
  target: Target,
  { operation, object }: Pick<Reconciliation, "operation" | "object">,
): Promise<object> {
  const path = targetPath(target);
  if (operation === "none") return object;
  if (operation === "update") return (await scope.api.request<object>({ method: "PUT", path, body: object })).body;
  // The role of a binding cannot be changed.
  if (operation === "recreate") await scope.api.request({ method: "DELETE", path });
  return create(scope, target, object);
}

const reconcile = async (flags: Flags): Promise<void> => {
  if (!flags.filename?.length && !flags.kustomize) throw new CliError("must specify one of -f and -k");
  const results = await resultsOf(flags);
  if (results.dryRun === "server") throw new CliError("--dry-run=server for command reconcile is not supported yet");
  const scope = await session(flags);
  for (const target of await manifestTargets(scope, flags)) {
    if (target.resource.group !== "rbac.authorization.k8s.io") continue;
    const manifest = target.manifest!.object as AccessObject;
    const { namespace } = target;
    const desired = { ...manifest, metadata: { ...manifest.metadata, ...(namespace && { namespace }) } };
    const existing = await ifFound(scope.api.get<AccessObject>(targetPath(target)));
    const reconciliation = explainedReconciliation(desired, existing, flags);
    const isDry = results.dryRun === "client";
    results.print(isDry ? reconciliation.object : await send(scope, target, reconciliation), "reconciled");
    for (const line of reconciliation.lines) process.stderr.write(`${line}\n`);
  }
};

/** Adds `reconcile` to `auth`. */
export const addReconcile = (auth: Command): void => {
  withResult(withFiles(auth.command("reconcile")))
    .summary("create roles and bindings, and add to existing ones what they lack")
    .option("--remove-extra-permissions", "remove permissions that the manifest does not have")
    .option("--remove-extra-subjects", "remove subjects that the manifest does not have")
    .addHelpText("after", "\nExamples:\n  orrery auth reconcile -f roles.yaml")
    .action(reconcile);
};
