// orrery expose: creates a Service for a workload, a pod or another service.
import type { Command } from "commander";
import { session } from "../client/session.ts";
import { checkTargets, targetsOf } from "../client/targets.ts";
import { type ExposeFlags, exposedService } from "../generators/exposed-service.ts";
import { createForSources } from "./create-for-sources.ts";
import { type CreateFlags, withGeneration } from "./create-object.ts";
import { withFiles } from "./object-options.ts";
import { type OverrideFlags, overridden, withOverrides } from "./overrides.ts";
import { resultsOf } from "./result.ts";

type Flags = ExposeFlags &
  OverrideFlags &
  CreateFlags & { readonly filename?: readonly string[]; readonly kustomize?: string; readonly recursive?: boolean };

const expose = async (args: readonly string[], flags: Flags): Promise<void> => {
  // The selector of the service is no selector of what to expose.
  const files = { filename: flags.filename, kustomize: flags.kustomize, recursive: flags.recursive };
  checkTargets(args, files, {});
  const results = await resultsOf(flags, { isGenerated: true });
  const scope = await session(flags);
  await createForSources({ scope, results }, await targetsOf(scope, args, files), flags, {
    plural: "services",
    operation: "exposed",
    dryRunOperation: "exposed",
    generate: ({ object }) => overridden(exposedService(object, flags), flags),
  });
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
