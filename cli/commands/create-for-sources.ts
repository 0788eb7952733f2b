// Creates one object for each source, such as a Service for a Deployment: what `expose` and `autoscale` share.
import type { ApiObject } from "../../api/meta.ts";
import type { Connection } from "../client/connection.ts";
import type { Session } from "../client/session.ts";
import { type Fetched, type Found, fetchTargets, type Target, throwAll } from "../client/targets.ts";
import { type GeneratedObject, withMeta } from "../generators/generated-object.ts";
import { type CreateFlags, send, withConfig } from "./create-object.ts";
import type { Results } from "./result.ts";

/** What is created, and how it is printed. */
export interface Creation {
  readonly plural: string;
  readonly operation: string;
  readonly dryRunOperation: string;
  /** The object for a source. Throws CliError for a source that has none. */
  generate(source: Found): GeneratedObject | Promise<GeneratedObject>;
}

/** The objects of manifests as they are, and others from the server. */
async function sourcesOf(api: Connection, targets: readonly Target[]): Promise<Fetched> {
  const local = targets.filter(({ manifest }) => manifest !== undefined);
  const { found, errors } = await fetchTargets(
    api,
    targets.filter(({ manifest }) => manifest === undefined),
  );
  const manifests = local.map(({ resource, manifest }) => ({ resource, object: manifest!.object as ApiObject }));
  return { found: [...manifests, ...found], errors };
}

/** Creates the object of each target, and prints it. Throws all errors at the end. */
export async function createForSources(
  { scope, results }: { readonly scope: Session; readonly results: Results },
  targets: readonly Target[],
  flags: CreateFlags,
  { plural, operation, dryRunOperation, generate }: Creation,
): Promise<void> {
  const { found, errors: missing } = await sourcesOf(scope.api, targets);
  const errors = [...missing];
  const parameters = { fieldManager: flags.fieldManager, dryRun: results.dryRunParameter };
  for (const source of found) {
    try {
      const generated = await generate(source);
      const placed = flags.namespace ? withMeta(generated, { namespace: flags.namespace }) : generated;
      if (results.dryRun === "client") {
        results.print(placed, dryRunOperation);
        continue;
      }
      const body = flags.saveConfig ? withConfig(placed) : placed;
      const namespace = source.object.metadata.namespace ?? scope.namespace;
      const created = await send({ api: scope.api, namespace }, body, { plural, namespaced: true }, parameters);
      results.print(created, operation);
    } catch (error) {
      errors.push(error);
    }
  }
  throwAll(errors);
}
