// orrery server: runs the control plane in this process, standalone with an embedded store, or with --config as a
// component of a cluster.
import { type Command, Option } from "commander";
import type { AuthorizationMode } from "../../apiserver/server.ts";
import { withAuthentication } from "../authentication-options.ts";
import type { ApiServerFlags } from "../api-server-config.ts";
import { readConfig, type ServerConfig } from "../cluster/config.ts";
import { historyOption, parseHistoryLimits } from "../history-limits.ts";
import { kubeconfigPath } from "../paths.ts";
import { startControlPlane } from "../control-plane.ts";
import type { StandaloneOptions } from "../standalone.ts";
import { interruption, withCluster } from "./cluster-option.ts";

interface Flags extends StandaloneOptions, ApiServerFlags {
  readonly apiOnly?: boolean;
  readonly authorizationMode: AuthorizationMode;
  readonly config?: string;
  readonly schedulerConfig?: string;
  readonly history?: string;
}

/** Reads or creates the configuration. Only a standalone server loads the code that issues certificates. */
async function configOf(flags: Flags): Promise<ServerConfig> {
  if (flags.config !== undefined) return readConfig<ServerConfig>(flags.config);
  const [{ standalone }, { apiServerConfig }] = await Promise.all([
    import("../standalone.ts"),
    import("../api-server-config.ts"),
  ]);
  const { authorizationMode } = flags;
  const history = flags.history === undefined ? undefined : parseHistoryLimits(flags.history);
  const own = { ...apiServerConfig(flags), ...(await standalone(flags)), authorizationMode };
  const config = { ...own, ...(history && { history }) };
  if (flags.schedulerConfig === undefined) return config;
  const { readSchedulerConfig } = await import("../scheduler-config.ts");
  const schedulerConfig = readSchedulerConfig(flags.schedulerConfig);
  return { ...config, schedulerConfig };
}

const serve = async (flags: Flags): Promise<void> => {
  const signal = interruption();
  const config = await configOf(flags);
  try {
    const { port, stopped } = await startControlPlane(config, signal, flags);
    if (flags.config === undefined)
      process.stderr.write(
        `The control plane answers on https://127.0.0.1:${port}; kubectl --kubeconfig ${kubeconfigPath(flags.name)} get namespaces\n`,
      );
    await stopped;
  } catch (e) {
    if (!signal.aborted) throw e;
  }
};

/** Adds `server` to the program. */
export const register = (program: Command): void => {
  withAuthentication(withCluster(program.command("server")))
    .summary("run the control plane alone, without nodes, over an embedded store")
    .option("--config <file>", "the configuration of a server that is part of a cluster")
    .option("--port <n>", "port on 127.0.0.1", "6443")
    .option("--store <kind>", "sqlite, which survives a restart, or memory", "sqlite")
    .option(
      "--metrics-retention <duration>",
      "how long metrics of nodes, services and pods are kept; 0 keeps none",
      "0",
    )
    .option("--scheduler-config <file>", "the scheduler's profiles and extenders, as for kube-scheduler --config")
    .addOption(
      new Option("--authorization-mode <mode>", "by roles, or everything to every authenticated user")
        .choices(["RBAC", "AlwaysAllow"])
        .default("RBAC"),
    )
    .option("--admission-control-config-file <file>", "an AdmissionConfiguration, such as of PodSecurity")
    .option("--audit-policy-file <file>", "of which requests events are recorded: a Policy of audit.k8s.io/v1")
    .option("--audit-log-path <file>", "where events are recorded; - is standard output")
    .option("--audit-log-maxage <days>", "how long full logs are kept; 0 keeps them for ever", "0")
    .option("--audit-log-maxbackup <n>", "how many full logs are kept; 0 keeps all", "0")
    .option("--audit-log-maxsize <megabytes>", "the size of a full log", "100")
    .option("--encryption-provider-config <file>", "an EncryptionConfiguration: how objects are encrypted in the store")
    .option("--encryption-provider-config-automatic-reload", "follow changes of that file")
    .option("--trace", "keep traces of changes in memory, for orrery trace")
    .option("--tracing-endpoint <url>", "send traces to an OpenTelemetry collector, by OTLP over HTTP")
    .option("--tracing-config-file <file>", "a TracingConfiguration: the collector, and how many traces are sampled")
    .option(...historyOption)
    .option("--api-only", "only the API server, for a scheduler and controllers of your own")
    .addHelpText("after", "\nExamples:\n  orrery server --name lab --port 7443\n  orrery get namespaces --name lab")
    .action(serve);
};
