// orrery expose: creates a Service for a workload, a pod or another service.
import type { Command } from "commander";
import type { ApiObject } from "../../api/meta.ts";
import { session } from "../client/session.ts";
import { checkTargets, type Fetched, fetchTargets, type Target, targetsOf, throwAll } from "../client/targets.ts";
import type { Connection } from "../client/connection.ts";
import { type ExposeFlags, exposedService } from "../generators/exposed-service.ts";
import { withMeta } from "../generators/generated-object.ts";
import { type CreateFlags, send, withConfig, withGeneration } from "./create-object.ts";
import { withFiles } from "./object-options.ts";
import { type OverrideFlags, overridden, withOverrides } from "./overrides.ts";
import { resultsOf } from "./result.ts";

type Flags = ExposeFlags &
  OverrideFlags &
  CreateFlags & { readonly filename?: readonly string[]; readonly kustomize?: string; readonly recursive?: boolean };

/** The objects of manifests as they are, and others from the server. */
export async function sourcesOf(api: Connection, targets: readonly Target[]): Promise<Fetched> {
  const local = targets.filter(({ manifest }) => manifest !== undefined);
  const { found, errors } = await fetchTargets(
    api,
    targets.filter(({ manifest }) => manifest === undefined),
  );
  const manifests = local.map(({ resource, manifest }) => ({ resource, object: manifest!.object as ApiObject }));
  return { found: [...manifests, ...found], errors };
}

const expose = async (args: readonly string[], flags: Flags): Promise<void> => {
  // The selector of the service is no selector of what to expose.
  const files = { filename: flags.filename, kustomize: flags.kustomize, recursive: flags.recursive };
  checkTargets(args, files, {});
  const results = await resultsOf(flags, { isGenerated: true });
  const scope = await session(flags);
  const { found, errors: missing } = await sourcesOf(scope.api, await targetsOf(scope, args, files));
  const errors = [...missing];
  for (const { object } of found) {
    try {
      const generated = await overridden(exposedService(object, flags), flags);
      const placed = flags.namespace ? withMeta(generated, { namespace: flags.namespace }) : generated;
      if (results.dryRun === "client") {
        results.print(placed, "exposed");
        continue;
      }
      const body = flags.saveConfig ? withConfig(placed) : placed;
      const namespace = object.metadata.namespace ?? scope.namespace;
      const parameters = { fieldManager: flags.fieldManager, dryRun: results.dryRunParameter };
      const resource = { plural: "services", namespaced: true };
      results.print(await send({ api: scope.api, namespace }, body, resource, parameters), "exposed");
    } catch (error) {
      errors.push(error);
    }
  }
  throwAll(errors);
};

/** Adds `expose` to the program. */
export const register = (program: Command): void => {
  const command = program
    .command("expose [args...]")
    .usage("[options] (TYPE [NAME...] | TYPE/NAME...)")
    .option("--port <n>", "the ports of the service; by default those of its pods")
    .option("--target-port <port>", "the port of the pods, by number or name")
    .option("--protocol <protocol>", "TCP, UDP or SCTP")
    .option("--name <name>", "the name of the service")
    .option("--type <type>", "ClusterIP, NodePort, LoadBalancer or ExternalName")
    .option("-l, --labels <labels>", "the labels of the service")
    .option("--selector <labels>", "the labels of its pods")
    .option("--cluster-ip <address>", "its address, or None for a headless service")
    .option("--external-ip <address>", "another address that leads to it")
    .option("--load-balancer-ip <address>", "the address of its load balancer")
    .option("--session-affinity <kind>", "None or ClientIP");
  withGeneration(withOverrides(withFiles(command)), "kubectl-expose")
    .addHelpText("after", "\nExamples:\n  orrery expose deploy web --port=80 --target-port=8080")
    .action(expose);
};
